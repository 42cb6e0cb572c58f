using System.Text.Json;
using Lateral.Actors.Audit;
using Lateral.Core.Runs;
using Lateral.Node.Runs;

namespace Lateral.Node.Cli;

/// <summary>The ledger's balance from the journal, and the files that must agree with it.</summary>
internal static class VerifyRun
{
    public static int Run(Terminal terminal, RunCatalog catalog, string name, bool json)
    {
        var run = catalog.Find(name);
        var settings = catalog.Load(run, []).Settings;
        var journal = new JournalReader(run.Journal);
        var report = LedgerAudit.Of(journal.RunEvents(settings.Name), settings.Ledger, settings.Rollout.GroupSize);
        var findings = report.Findings.AddRange(CheckMetrics(run, report.Ledger)).AddRange(CheckContents(journal, settings, report.Ledger));
        if (json) terminal.Out.WriteLine(JsonSerializer.Serialize(Summary(report, findings), JsonSerializerOptions.Web));
        else WriteText(terminal.Out, report, findings);
        return (int)(findings.IsEmpty ? ExitCode.Done : ExitCode.Environment);
    }

    /// <summary>A step's line is written once, in order, and never before its step is in the journal.</summary>
    private static IEnumerable<string> CheckMetrics(RunDirectory run, RunLedger ledger)
    {
        var steps = JsonLinesFile.Read(run.Metrics).Select(line => line.GetProperty("step").GetInt32()).ToList();
        for (var i = 1; i < steps.Count; i++)
            if (steps[i] <= steps[i - 1]) yield return $"metrics.jsonl has step {steps[i]} after step {steps[i - 1]}";
        if (steps.Count > 0 && steps[^1] > ledger.Version) yield return $"metrics.jsonl goes to step {steps[^1]}, the journal to {ledger.Version}";
    }

    /// <summary>The trajectories that are still to be trained are the ones the ledger was promised.</summary>
    private static IEnumerable<string> CheckContents(JournalReader journal, RunSettings settings, RunLedger ledger)
    {
        var promised = ledger.Waiting.Values.Select(group => new BatchGroup(group.Ordinal, group.Hash))
            .Concat(ledger.Pending?.Groups ?? []).Concat(ledger.SinceCheckpoint.SelectMany(step => step.Batch.Groups));
        foreach (var group in promised)
        {
            var state = journal.GroupEvents(settings.Name, group.Ordinal).Aggregate(new RolloutGroup(group.Ordinal, settings.Rollout.GroupSize, settings.Pools), (s, e) => s.Apply(e));
            if (!state.IsComplete) yield return $"group {group.Ordinal} is complete in the ledger and not in its own journal";
            else if (ContentHash.Of(state.ToScored()) is var hash && hash != group.Hash) yield return $"group {group.Ordinal} has content {hash}, the ledger was promised {group.Hash}";
        }
    }

    private static void WriteText(TextWriter to, AuditReport report, IReadOnlyCollection<string> findings)
    {
        var (ledger, size) = (report.Ledger, report.GroupSize);
        to.WriteLine($"journal: {report.Events} events, version {ledger.Version} of {ledger.Settings.Steps}, taken up again {report.Interruptions} times, replays that diverged {report.Divergences}");
        to.WriteLine("             issued = trained + filtered + running + waiting + in batch");
        to.WriteLine($"  groups     {ledger.Issued,6} = {ledger.Trained,7} + {ledger.Filtered,8} + {ledger.Running.Count,7} + {ledger.Waiting.Count,7} + {report.InBatch,8}");
        to.WriteLine($"  rollouts   {ledger.Issued * size,6} = {ledger.Trained * size,7} + {ledger.Filtered * size,8} + {ledger.Running.Count * size,7} + {ledger.Waiting.Count * size,7} + {report.InBatch * size,8}");
        to.WriteLine($"  staleness  at most {report.MaxStalenessSeen}, the budget is {ledger.Settings.MaxStaleness}");
        foreach (var finding in findings) to.WriteLine($"broken  {finding}");
        to.WriteLine(findings.Count == 0 ? "balanced" : $"NOT balanced: {findings.Count} findings");
    }

    private static object Summary(AuditReport report, IReadOnlyCollection<string> findings) => new
    {
        Balanced = findings.Count == 0,
        report.Events,
        report.Ledger.Version,
        report.Ledger.Settings.Steps,
        report.Ledger.Issued,
        report.Ledger.Trained,
        report.Ledger.Filtered,
        Running = report.Ledger.Running.Count,
        Waiting = report.Ledger.Waiting.Count,
        report.InBatch,
        report.GroupSize,
        report.MaxStalenessSeen,
        report.Interruptions,
        report.Divergences,
        Findings = findings,
    };
}
