using System.Collections.Immutable;
using Lateral.Core.Runs;

namespace Lateral.Actors.Audit;

/// <summary>What a run's journal proves.</summary>
/// <param name="Findings">broken invariants in words; empty when the ledger balances</param>
/// <param name="Interruptions">learner epochs after the first: how often the run was taken up again</param>
public sealed record AuditReport(
    RunLedger Ledger, long Events, int GroupSize, int MaxStalenessSeen, int Interruptions, int Divergences, ImmutableArray<string> Findings)
{
    public bool Balanced => Findings.IsEmpty;

    public long InBatch => Ledger.Pending?.Groups.Length ?? 0;
}

/// <summary>
/// Folds a run's journal from its first event and checks the invariants at every one, without trusting the run's own
/// state: issued = trained + filtered + in flight, every group in exactly one batch, staleness within its budget.
/// </summary>
public static class LedgerAudit
{
    public static AuditReport Of(IEnumerable<IRunEvent> journal, LedgerSettings settings, int groupSize)
    {
        var findings = ImmutableArray.CreateBuilder<string>();
        var completed = new Dictionary<long, int>();
        var consumed = new Dictionary<long, int>();
        var (ledger, events, stalest, epochs, divergences) = (new RunLedger(settings), 0L, 0, 0, 0);
        foreach (var change in journal)
        {
            events++;
            try
            {
                ledger = ledger.Apply(change);
            }
            catch (LedgerException broken)
            {
                findings.Add($"event {events}: {broken.Message}");
                break;
            }

            switch (change)
            {
                case EpochGranted:
                    epochs++;
                    break;
                case ReplayDiverged:
                    divergences++;
                    break;
                case GroupCompleted group:
                    completed[group.Ordinal] = group.OldestVersion;
                    break;
                case BatchFormed batch:
                    stalest = Math.Max(stalest, Consume(batch));
                    break;
            }

            if (Imbalance(ledger) is { } imbalance) findings.Add($"event {events} ({change.GetType().Name}): {imbalance}");
        }

        return new AuditReport(ledger, events, groupSize, stalest, Math.Max(0, epochs - 1), divergences, findings.ToImmutable());

        // The oldest version of the batch, in versions behind; notes groups that a batch had before.
        int Consume(BatchFormed batch)
        {
            var oldest = 0;
            foreach (var group in batch.Groups)
            {
                if (!consumed.TryAdd(group.Ordinal, batch.Step)) findings.Add($"group {group.Ordinal} is in step {consumed[group.Ordinal]} and in step {batch.Step}");
                if (!completed.TryGetValue(group.Ordinal, out var version)) continue;
                var staleness = batch.Step - 1 - version;
                if (staleness > settings.MaxStaleness) findings.Add($"step {batch.Step} trains group {group.Ordinal} at staleness {staleness}, the budget is {settings.MaxStaleness}");
                oldest = Math.Max(oldest, staleness);
            }

            return oldest;
        }
    }

    private static string? Imbalance(RunLedger ledger)
    {
        var inFlight = ledger.Running.Count + ledger.Waiting.Count + (ledger.Pending?.Groups.Length ?? 0);
        return ledger.Issued == ledger.Trained + ledger.Filtered + inFlight
            ? null
            : $"{ledger.Issued} issued is not {ledger.Trained} trained + {ledger.Filtered} filtered + {inFlight} in flight";
    }
}
