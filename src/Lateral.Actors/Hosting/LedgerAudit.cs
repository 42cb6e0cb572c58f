using System.Collections.Immutable;
using Lateral.Core.Runs;

namespace Lateral.Actors;

/// <summary>A run's ledger, folded from its events and checked at each of them.</summary>
/// <param name="OldestTrained">greatest staleness of a trained group</param>
/// <param name="Interruptions">learner epochs after the first: how often the run was taken up again</param>
/// <param name="Violations">broken invariants with their event; empty when the ledger balances</param>
public sealed record LedgerBalance(
    RunLedger Ledger, long Events, int OldestTrained, int Interruptions, int Divergences, ImmutableArray<string> Violations)
{
    public int InBatch => Ledger.Pending?.Groups.Length ?? 0;
}

/// <summary>
/// Folds a run's journal from its first event and checks the invariants at every one, without trusting the run's own
/// state: issued = trained + filtered + in flight (I2), every group in exactly one batch (I3), staleness within its budget (I7).
/// </summary>
public static class LedgerAudit
{
    public static LedgerBalance Of(IEnumerable<IRunEvent> journal, LedgerSettings settings)
    {
        var violations = ImmutableArray.CreateBuilder<string>();
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
                violations.Add($"event {events}: {broken.Message}");
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

            if (Imbalance(ledger) is { } imbalance) violations.Add($"event {events} ({change.GetType().Name}): {imbalance}");
        }

        return new LedgerBalance(ledger, events, stalest, Math.Max(0, epochs - 1), divergences, violations.ToImmutable());

        // The oldest version of the batch, in versions behind; notes groups that a batch had before.
        int Consume(BatchFormed batch)
        {
            var oldest = 0;
            foreach (var group in batch.Groups)
            {
                if (!consumed.TryAdd(group.Ordinal, batch.Step)) violations.Add($"group {group.Ordinal} is in step {consumed[group.Ordinal]} and in step {batch.Step}");
                if (!completed.TryGetValue(group.Ordinal, out var version)) continue;
                var staleness = batch.Step - 1 - version;
                if (staleness > settings.MaxStaleness) violations.Add($"step {batch.Step} trains group {group.Ordinal} at staleness {staleness}, the budget is {settings.MaxStaleness}");
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
