using Lateral.Core.Runs;
using Lateral.Simulation.Tests.Storage;

namespace Lateral.Simulation.Tests.Checks;

/// <summary>The ledger folded from the journal as it is written, and what must hold at each of its events.</summary>
internal sealed class LedgerWatch(LedgerSettings settings, Disk disk, Verdicts verdicts)
{
    public RunLedger Fold { get; private set; } = new(settings);

    /// <summary>The last step is trained and in a checkpoint.</summary>
    public bool Finished => LedgerStatus.Of(Fold).Finished;

    public void Note(IRunEvent change)
    {
        Before(change);
        try
        {
            Fold = Fold.Apply(change);
        }
        catch (LedgerException broken)
        {
            verdicts.Require(false, "I3 At-most-once effect", broken.Message);
        }

        var inFlight = Fold.Running.Count + Fold.Waiting.Count + (Fold.Pending?.Groups.Length ?? 0);
        verdicts.Require(
            Fold.Issued == Fold.Trained + Fold.Filtered + inFlight, "I2 Conservation", $"{Fold.Issued} issued is not {Fold.Trained} trained + {Fold.Filtered} filtered + {inFlight} in flight");
    }

    /// <summary>A ledger that knows the whole journal must say what the journal says.</summary>
    public void Compare(LedgerStatus live)
    {
        var folded = LedgerStatus.Of(Fold, live.Draining);
        verdicts.Require(live == folded, "I3 At-most-once effect", $"the ledger lives as {live} and the journal folds to {folded}");
    }

    private void Before(IRunEvent change)
    {
        switch (change)
        {
            case EpochGranted granted:
                verdicts.Require(granted.Epoch > Fold.Epoch, "I6 Fencing", $"epoch {granted.Epoch} is granted after {Fold.Epoch}");
                break;
            case BaseReady ready:
                verdicts.Require(disk.Holds(ready.Policy) && disk.Load(ready.Checkpoint) is not null, "I4 Atomic step", "the base is announced before it is durable");
                break;
            case GroupIssued issued:
                verdicts.Require(Fold.Base is not null, "I10 Bounded", $"group {issued.Ordinal} is issued before the base is there");
                break;
            case BatchFormed batch:
                Check(batch);
                break;
            case StepTrained trained:
                verdicts.Require(disk.Holds(trained.Report.Policy), "I4 Atomic step", $"step {trained.Step} is accepted before its policy is durable");
                verdicts.Require(
                    trained.Epoch == Fold.Epoch && trained.Report.Policy.Epoch == Fold.Epoch, "I6 Fencing",
                    $"step {trained.Step} of epoch {trained.Report.Policy.Epoch} is accepted as {trained.Epoch} in epoch {Fold.Epoch}");
                break;
            case CheckpointCommitted committed:
                verdicts.Require(disk.Load(committed.Checkpoint) is not null, "I4 Atomic step", $"{committed.Checkpoint} is committed and not durable");
                verdicts.Require(Enumerable.Range(1, committed.Checkpoint.Step).All(disk.Recorded.Contains), "I9 Retention", $"{committed.Checkpoint} hides a step that was never recorded");
                break;
            case ReplayDiverged diverged:
                verdicts.Require(false, "I5 Replay", diverged.ToString());
                break;
        }
    }

    private void Check(BatchFormed batch)
    {
        foreach (var group in batch.Groups)
        {
            if (!Fold.Waiting.TryGetValue(group.Ordinal, out var waiting)) continue;
            var staleness = batch.Step - 1 - waiting.OldestVersion;
            verdicts.Require(staleness >= 0 && staleness <= settings.MaxStaleness, "I7 Staleness", $"step {batch.Step} takes group {group.Ordinal} at staleness {staleness} of {settings.MaxStaleness}");
        }
    }
}
