using System.Text.Json;
using Lateral.Actors;
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
        var report = JournalAudit.Run(settings);
        var findings = report.Violations.AddRange(CheckMetrics(run, report.Ledger));
        if (json) terminal.Out.WriteLine(JsonSerializer.Serialize(Summary(settings, report, findings), JsonSerializerOptions.Web));
        else WriteText(terminal.Out, settings, report, findings);
        return (int)(findings.IsEmpty ? ExitCode.Done : ExitCode.Violated);
    }

    /// <summary>A step's line is written once, in order, and never before its step is in the journal.</summary>
    private static IEnumerable<string> CheckMetrics(RunDirectory run, RunLedger ledger)
    {
        var steps = JsonLinesFile.Read(run.Metrics).Select(line => line.GetProperty("step").GetInt32()).ToList();
        for (var i = 1; i < steps.Count; i++)
            if (steps[i] <= steps[i - 1]) yield return $"metrics.jsonl has step {steps[i]} after step {steps[i - 1]}";
        if (steps.Count > 0 && steps[^1] > ledger.Version) yield return $"metrics.jsonl goes to step {steps[^1]}, the journal to {ledger.Version}";
    }

    private static void WriteText(TextWriter to, RunSettings settings, AuditReport report, IReadOnlyCollection<string> findings)
    {
        var (balance, ledger, size) = (report.Balance, report.Ledger, settings.Rollout.GroupSize);
        to.WriteLine($"journal: {balance.Events} events, version {ledger.Version} of {ledger.Settings.Steps}, taken up again {balance.Interruptions} times, replays that diverged {balance.Divergences}");
        to.WriteLine("             issued = trained + filtered + running + waiting + in batch");
        to.WriteLine($"  groups     {ledger.Issued,6} = {ledger.Trained,7} + {ledger.Filtered,8} + {ledger.Running.Count,7} + {ledger.Waiting.Count,7} + {balance.InBatch,8}");
        to.WriteLine($"  rollouts   {ledger.Issued * size,6} = {ledger.Trained * size,7} + {ledger.Filtered * size,8} + {ledger.Running.Count * size,7} + {ledger.Waiting.Count * size,7} + {balance.InBatch * size,8}");
        if (ledger.Undone > 0) to.WriteLine($"  undone     {ledger.Undone} of the filtered groups were in steps that a roll back undid");
        to.WriteLine($"  recorded   {report.Trajectories} trajectories and {report.Rewards} rewards, each once; {report.InfraFaults} infrastructure faults");
        to.WriteLine($"  staleness  at most {balance.OldestTrained}, the budget is {ledger.Settings.MaxStaleness}");
        foreach (var finding in findings) to.WriteLine($"broken  {finding}");
        to.WriteLine(findings.Count == 0 ? "balanced" : $"NOT balanced: {findings.Count} findings");
    }

    private static object Summary(RunSettings settings, AuditReport report, IReadOnlyCollection<string> findings) => new
    {
        Balanced = findings.Count == 0,
        report.Balance.Events,
        report.Ledger.Version,
        report.Ledger.Settings.Steps,
        report.Ledger.Issued,
        report.Ledger.Trained,
        report.Ledger.Filtered,
        report.Ledger.Undone,
        Running = report.Ledger.Running.Count,
        Waiting = report.Ledger.Waiting.Count,
        report.Balance.InBatch,
        settings.Rollout.GroupSize,
        report.Trajectories,
        report.Rewards,
        report.InfraFaults,
        report.Balance.OldestTrained,
        report.Balance.Interruptions,
        report.Balance.Divergences,
        Findings = findings,
    };
}
