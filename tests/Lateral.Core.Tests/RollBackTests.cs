using System.Collections.Immutable;
using Lateral.Core.Learning;
using Lateral.Core.Policies;
using Lateral.Core.Runs;

namespace Lateral.Core.Tests;

/// <summary>Steps whose gradient is not finite, checkpoints that cannot be read, and what the ledger makes of both. B = 2, eta = 1.</summary>
public sealed class RollBackTests
{
    private static readonly string Zero = new('0', 64);
    private static readonly LedgerSettings Settings = new(2, 1, 20, false);

    [Fact]
    public void Two_skipped_steps_must_change_nothing_and_a_third_must_lead_back_to_the_checkpoint_before_them()
    {
        var ledger = Save(Train(Started(), 1, 2), 2);
        ledger = Skip(Train(ledger, 3), 4, 5);
        Assert.Null(ledger.AnswerSkips());
        ledger = Skip(ledger, 6);
        var rolled = Assert.IsType<RolledBack>(ledger.AnswerSkips());
        Assert.Equal((7, 2), (rolled.Step, rolled.To.Step));
        Assert.Contains("3 steps in a row", rolled.Reason, StringComparison.Ordinal);
    }

    [Fact]
    public void Undone_groups_must_be_quarantined_and_keep_their_place_in_the_admission_count()
    {
        var before = Skip(Train(Save(Train(Started(), 1, 2), 2), 3), 4, 5, 6);
        var after = before.Apply(before.AnswerSkips()!);
        // Steps 3 (trained, and undone with the rest) to 6: four batches of two.
        Assert.Equal((12L, 0L, 0L), (before.Trained, before.Filtered, before.Undone));
        Assert.Equal((4L, 8L, 8L), (after.Trained, after.Filtered, after.Undone));
        Assert.Equal(before.Admit().Length, after.Admit().Length);
        // The answer is given once; the next three pause the run.
        Assert.Null(after.AnswerSkips());
        var worse = Skip(after, 7, 8);
        Assert.Null(worse.AnswerSkips());
        worse = Skip(worse, 9);
        var paused = worse.Apply(Assert.IsType<RunPaused>(worse.AnswerSkips()));
        Assert.Contains("6 steps in a row", paused.PauseReason!, StringComparison.Ordinal);
        Assert.Empty(paused.Admit());
        Assert.Null(Complete(paused).FormBatch());
        var resumed = paused.Apply(paused.Resume().Events[0]);
        Assert.Null(resumed.AnswerSkips());
        Assert.Equal(Refusal.Duplicate, resumed.Resume().Refused);
        // As before the pause, a row of three has to come first.
        Assert.IsType<RolledBack>(Skip(resumed, 10, 11, 12).AnswerSkips());
    }

    [Fact]
    public void Steps_must_go_on_after_a_roll_back_and_a_second_one_must_undo_only_what_is_not_undone()
    {
        var ledger = Skip(Train(Started(), 1), 2, 3, 4);
        ledger = ledger.Apply(ledger.AnswerSkips()!);
        Assert.Equal((0L, 8L), (ledger.Trained, ledger.Filtered));
        ledger = Train(ledger, 5);
        Assert.Equal(0, ledger.RollBacks[5].Step);
        Assert.Equal((2L, 0), (ledger.Trained, ledger.SkippedInARow));
        ledger = Skip(ledger, 6, 7, 8);
        ledger = ledger.Apply(ledger.AnswerSkips()!);
        Assert.Equal((0L, 16L, 16L), (ledger.Trained, ledger.Filtered, ledger.Undone));
        Assert.Equal([5, 9], ledger.RollBacks.Keys);
    }

    [Fact]
    public void Checkpoint_of_undone_steps_must_be_forgotten_and_refused_when_it_comes_late()
    {
        var ledger = Save(Train(Started(), 1), 1);
        ledger = Save(Skip(ledger, 2), 2);
        ledger = Skip(ledger, 3, 4);
        ledger = ledger.Apply(ledger.AnswerSkips()!);
        Assert.Equal(1, Assert.Single(ledger.Checkpoints).Step);
        Assert.Equal(Refusal.Duplicate, ledger.Commit(1, new CheckpointCommitted(Saved(4))).Refused);
        // All that is not in the checkpoint is undone: stopping now loses nothing.
        Assert.True(ledger.Saved);
        Assert.False(Train(ledger, 5).Saved);
        Assert.Equal([1, 5], Save(Train(ledger, 5), 5).Checkpoints.Select(checkpoint => checkpoint.Step));
    }

    [Fact]
    public void Lost_checkpoint_must_leave_the_one_before_it_with_every_step_after_that()
    {
        var ledger = Save(Train(Save(Train(Started(), 1, 2), 2), 3, 4), 4);
        Assert.Equal([2, 4], ledger.Checkpoints.Select(checkpoint => checkpoint.Step));
        Assert.Equal([3, 4], ledger.SinceCheckpoint.Select(step => step.Batch.Step));
        var lost = new CheckpointLost(Saved(4), "torn");
        Assert.Equal(Refusal.Stale, ledger.Lose(0, lost).Refused);
        ledger = ledger.Apply(ledger.Lose(1, lost).Events[0]);
        Assert.Equal((2, false), (ledger.LastCheckpoint!.Step, ledger.Saved));
        Assert.Equal([3, 4], ledger.SinceCheckpoint.Select(step => step.Batch.Step));
        Assert.Equal(Refusal.Duplicate, ledger.Lose(1, lost).Refused);
        Assert.Equal(Refusal.Unknown, ledger.Lose(1, new CheckpointLost(Saved(2), "torn")).Refused);
        // Trained again, the same step is saved again.
        Assert.Equal([2, 4], Save(ledger, 4).Checkpoints.Select(checkpoint => checkpoint.Step));
    }

    private static RunLedger Started() => new RunLedger(Settings)
        .Apply(new EpochGranted(1, "a"))
        .Apply(new BaseReady(Policy(0), Saved(0), ImmutableSortedDictionary<string, double>.Empty));

    private static RunLedger Train(RunLedger ledger, params int[] steps) => steps.Aggregate(ledger, (before, step) => Step(before, step, skipped: false));

    private static RunLedger Skip(RunLedger ledger, params int[] steps) => steps.Aggregate(ledger, (before, step) => Step(before, step, skipped: true));

    private static RunLedger Step(RunLedger ledger, int step, bool skipped)
    {
        ledger = Complete(ledger);
        ledger = ledger.Apply(ledger.FormBatch()!);
        return ledger.Apply(ledger.Train(new StepTrained(1, new StepReport(step, Policy(step), skipped, ImmutableSortedDictionary<string, double>.Empty))).Events[0]);
    }

    private static RunLedger Complete(RunLedger ledger)
    {
        foreach (var issued in ledger.Admit()) ledger = ledger.Apply(issued);
        foreach (var ordinal in ledger.Running.Keys) ledger = ledger.Apply(new GroupCompleted(ordinal, ledger.Version, ledger.Version, Zero));
        return ledger;
    }

    private static RunLedger Save(RunLedger ledger, int step) => ledger.Apply(ledger.Commit(1, new CheckpointCommitted(Saved(step))).Events[0]);

    private static Checkpoint Saved(int step) => new(step, $"checkpoints/step_{step}", Zero);

    private static PolicyManifest Policy(int version) => new(1, version, Zero, "", PayloadKind.Full, 1, $"v{version}");
}
