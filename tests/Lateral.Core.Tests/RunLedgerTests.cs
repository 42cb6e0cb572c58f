using System.Collections.Immutable;
using CsCheck;
using Lateral.Core.Learning;
using Lateral.Core.Policies;
using Lateral.Core.Runs;

namespace Lateral.Core.Tests;

public sealed class RunLedgerTests
{
    private static readonly string Zero = new('0', 64);

    [Theory]
    [InlineData(0, 0, 0, 3)]
    [InlineData(2, 0, 0, 9)]
    [InlineData(2, 3, 0, 18)]
    [InlineData(2, 3, 4, 22)]
    [InlineData(8, 9, 0, 30)]
    public void Admission_must_issue_up_to_eta_plus_version_plus_one_batches_within_the_run(int eta, int version, int filtered, long expected)
    {
        var ledger = Started(new LedgerSettings(3, eta, 10, false)) with { Version = version, Issued = 0, Filtered = filtered };
        Assert.Equal(expected, ledger.Admit().Length);
    }

    [Fact]
    public void Admission_must_wait_for_the_base_and_for_a_pause_to_end()
    {
        var settings = new LedgerSettings(3, 1, 10, false);
        Assert.Empty(new RunLedger(settings).Admit());
        var paused = Started(settings).Apply(new RunPaused("rewards"));
        Assert.Empty(paused.Admit());
        Assert.Equal(6, paused.Apply(new RunResumed()).Admit().Length);
    }

    [Theory]
    [InlineData(0, 0)]
    [InlineData(5, 0)]
    [InlineData(6, 1)]
    [InlineData(8, 1)]
    [InlineData(9, 2)]
    public void Assigned_version_must_be_the_batch_index_minus_eta(long ordinal, int version) =>
        Assert.Equal(version, RunDecisions.AssignedVersion(new LedgerSettings(3, 1, 10, true), ordinal));

    [Fact]
    public void Batch_must_wait_for_a_running_group_that_would_become_too_old()
    {
        // B = 2, eta = 1, version 1: group 0 was issued under version 0 and still runs, so the batch waits for it.
        var ledger = Started(new LedgerSettings(2, 1, 10, false)) with
        {
            Version = 1,
            Issued = 3,
            Running = ImmutableSortedDictionary<long, RunningGroup>.Empty.Add(0, new(0, 0)),
            Waiting = Waiting((1, 1), (2, 1)),
        };
        Assert.Null(ledger.FormBatch());
        var completed = ledger.Apply(new GroupCompleted(0, 0, 0, Zero));
        Assert.Equal([0L, 1L], completed.FormBatch()!.Groups.Select(group => group.Ordinal));
    }

    [Fact]
    public void Batch_must_not_pass_over_slow_groups_that_later_batches_could_not_all_hold()
    {
        // B = 2, eta = 2, version 1: four groups of version 0 still run and are due in the batches of versions 1 and 2. A
        // batch of two fast groups of version 1 would leave all four to one batch of two.
        var ledger = Started(new LedgerSettings(2, 2, 10, false)) with
        {
            Version = 1,
            Issued = 8,
            Trained = 2,
            Running = Enumerable.Range(2, 4).ToImmutableSortedDictionary(ordinal => (long)ordinal, ordinal => new RunningGroup(ordinal, 0)),
            Waiting = Waiting((6, 1), (7, 1)),
        };
        Assert.Null(ledger.FormBatch());
        var two = ledger.Apply(new GroupCompleted(2, 0, 0, Zero)).Apply(new GroupCompleted(4, 0, 0, Zero));
        Assert.Equal([2L, 4L], two.FormBatch()!.Groups.Select(group => group.Ordinal));
    }

    [Fact]
    public void Batch_must_take_the_oldest_versions_and_list_them_in_ordinal_order()
    {
        var ledger = Started(new LedgerSettings(2, 2, 10, false)) with { Version = 2, Issued = 4, Waiting = Waiting((0, 2), (1, 1), (2, 2), (3, 1)) };
        Assert.Equal([1L, 3L], ledger.FormBatch()!.Groups.Select(group => group.Ordinal));
    }

    [Fact]
    public void Deterministic_batch_must_be_its_ordinals_with_filtered_ones_left_empty()
    {
        var ledger = Started(new LedgerSettings(2, 1, 10, true)).Apply(new GroupIssued(0, 0)).Apply(new GroupIssued(1, 0)).Apply(new GroupIssued(2, 0));
        ledger = ledger.Apply(new GroupCompleted(2, 0, 0, Zero)).Apply(new GroupCompleted(0, 0, 0, Zero));
        Assert.Null(ledger.FormBatch());
        Assert.Equal([0L], ledger.Apply(new GroupFiltered(1, "verifier")).FormBatch()!.Groups.Select(group => group.Ordinal));
    }

    [Fact]
    public void Report_of_a_fenced_epoch_must_be_refused_and_a_repeated_one_recognised()
    {
        var ledger = Started(new LedgerSettings(1, 0, 10, false)).Apply(new EpochGranted(2, "b"));
        ledger = ledger.Apply(new GroupIssued(0, 0)).Apply(new GroupCompleted(0, 0, 0, Zero));
        ledger = ledger.Apply(ledger.FormBatch()!);
        Assert.Equal(Refusal.Stale, ledger.Train(Trained(1, 1)).Refused);
        Assert.Equal(Refusal.Unknown, ledger.Train(Trained(2, 2)).Refused);
        var trained = ledger.Apply(ledger.Train(Trained(2, 1)).Events[0]);
        Assert.Equal(Refusal.Duplicate, trained.Train(Trained(2, 1)).Refused);
        Assert.Equal(Refusal.Stale, trained.Commit(1, new CheckpointCommitted(new Checkpoint(1, "1", Zero))).Refused);
    }

    [Fact]
    public void Checkpoint_must_end_the_replay_of_the_steps_that_the_one_before_it_holds()
    {
        var ledger = RunSteps(new LedgerSettings(1, 0, 10, false), 3);
        Assert.Equal([1, 2, 3], ledger.SinceCheckpoint.Select(step => step.Batch.Step));
        ledger = ledger.Apply(ledger.Commit(ledger.Epoch, new CheckpointCommitted(new Checkpoint(2, "2", Zero))).Events[0]);
        // The base is still there to go back to.
        Assert.Equal([0, 2], ledger.Checkpoints.Select(checkpoint => checkpoint.Step));
        Assert.Equal([1, 2, 3], ledger.SinceCheckpoint.Select(step => step.Batch.Step));
        ledger = ledger.Apply(ledger.Commit(ledger.Epoch, new CheckpointCommitted(new Checkpoint(3, "3", Zero))).Events[0]);
        Assert.Equal([2, 3], ledger.Checkpoints.Select(checkpoint => checkpoint.Step));
        Assert.Equal([3], ledger.SinceCheckpoint.Select(step => step.Batch.Step));
        Assert.Equal(Refusal.Duplicate, ledger.Commit(ledger.Epoch, new CheckpointCommitted(new Checkpoint(1, "1", Zero))).Refused);
    }

    [Fact]
    public void Event_that_does_not_follow_must_be_refused_by_the_fold()
    {
        var ledger = Started(new LedgerSettings(1, 0, 10, false));
        Assert.Throws<LedgerException>(() => ledger.Apply(new GroupIssued(1, 0)));
        Assert.Throws<LedgerException>(() => ledger.Apply(new GroupCompleted(0, 0, 0, Zero)));
        Assert.Throws<LedgerException>(() => ledger.Apply(Trained(1, 1)));
    }

    /// <summary>A random schedule of completions, faults, learner changes and re-reports keeps every invariant.</summary>
    [Fact]
    public void Any_schedule_must_conserve_groups_and_keep_staleness_within_eta() =>
        Gen.Select(Gen.Int[1, 4], Gen.Int[0, 4], Gen.Int[1, 6], Gen.Bool, Gen.Int[0, 11].Array[400]).Sample(
            (groups, eta, steps, deterministic, schedule) =>
            {
                var ledger = Started(new LedgerSettings(groups, eta, steps, deterministic));
                var consumed = new HashSet<long>();
                foreach (var choice in schedule)
                {
                    ledger = Turn(ledger, choice, consumed);
                    var pending = ledger.Pending?.Groups.Length ?? 0;
                    Assert.Equal(ledger.Issued, ledger.Trained + ledger.Filtered + ledger.Running.Count + ledger.Waiting.Count + pending);
                    Assert.True(ledger.Issued - (ledger.Filtered - ledger.Undone) <= (eta + ledger.Version + 1L) * groups);
                }
            },
            iter: 2000);

    private static RunLedger Turn(RunLedger ledger, int choice, HashSet<long> consumed)
    {
        foreach (var issued in ledger.Admit()) ledger = ledger.Apply(issued);
        if (choice < 7 && ledger.Running.Count > 0)
        {
            var (ordinal, group) = ledger.Running.ElementAt(choice * 31 % ledger.Running.Count);
            // A free-running group may have started under any version from its issue on.
            var oldest = ledger.Settings.Deterministic ? group.Version : Math.Min(ledger.Version, group.Version + choice % 2);
            IRunEvent outcome = choice == 6 ? new GroupFiltered(ordinal, "fault") : new GroupCompleted(ordinal, oldest, ledger.Version, Zero);
            return ledger.Apply(outcome);
        }

        if (choice == 10 && ledger.LastCheckpoint!.Step < ledger.Version)
            return ledger.Commit(ledger.Epoch, new CheckpointCommitted(new Checkpoint(ledger.Version, $"{ledger.Version}", Zero))) is { Refused: null } saved ? ledger.Apply(saved.Events[0]) : ledger;
        if (ledger.AnswerSkips() is { } answer) return ledger.Apply(answer);
        if (ledger.Pause is not null) return ledger.Apply(new RunResumed());
        if (choice == 7) return ledger.Apply(ledger.GrantEpoch("next").Events[0]);
        if (ledger.FormBatch() is { } batch)
        {
            Assert.All(batch.Groups, group =>
            {
                Assert.True(consumed.Add(group.Ordinal), $"group {group.Ordinal} consumed twice");
                Assert.InRange(ledger.Version - ledger.Waiting[group.Ordinal].OldestVersion, 0, ledger.Settings.MaxStaleness);
            });
            return ledger.Apply(batch);
        }

        return ledger.Pending is { } pending ? ledger.Apply(ledger.Train(Trained(ledger.Epoch, pending.Step, skipped: choice >= 8)).Events[0]) : ledger;
    }

    private static RunLedger RunSteps(LedgerSettings settings, int steps)
    {
        var ledger = Started(settings);
        for (var step = 1; step <= steps; step++)
        {
            foreach (var issued in ledger.Admit()) ledger = ledger.Apply(issued);
            foreach (var ordinal in ledger.Running.Keys) ledger = ledger.Apply(new GroupCompleted(ordinal, ledger.Version, ledger.Version, Zero));
            ledger = ledger.Apply(ledger.FormBatch()!);
            ledger = ledger.Apply(ledger.Train(Trained(ledger.Epoch, step)).Events[0]);
        }

        return ledger;
    }

    private static RunLedger Started(LedgerSettings settings) => new RunLedger(settings)
        .Apply(new EpochGranted(1, "a"))
        .Apply(new BaseReady(Policy(1, 0), new Checkpoint(0, "0", Zero), ImmutableSortedDictionary<string, double>.Empty));

    private static ImmutableSortedDictionary<long, WaitingGroup> Waiting(params (long Ordinal, int Oldest)[] groups) =>
        groups.ToImmutableSortedDictionary(group => group.Ordinal, group => new WaitingGroup(group.Ordinal, group.Oldest, group.Oldest, Zero));

    private static StepTrained Trained(int epoch, int step, bool skipped = false) =>
        new(epoch, new StepReport(step, Policy(epoch, step), skipped, ImmutableSortedDictionary<string, double>.Empty));

    private static PolicyManifest Policy(int epoch, int version) => new(epoch, version, Zero, "", PayloadKind.Full, 1, $"v{version}");
}
