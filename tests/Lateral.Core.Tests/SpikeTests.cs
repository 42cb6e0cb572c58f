using System.Collections.Immutable;
using Lateral.Core.Learning;
using Lateral.Core.Policies;
using Lateral.Core.Runs;

namespace Lateral.Core.Tests;

/// <summary>Steps that leave the run's course, by hand-computed scores, and what the ledger makes of them. B = 2, eta = 1, window 4.</summary>
public sealed class SpikeTests
{
    private static readonly string Zero = new('0', 64);

    [Theory]
    // Mean 1, population standard deviation .1: a score of (value - 1) / .1.
    [InlineData(2.1, true)]
    [InlineData(1.9, false)]
    [InlineData(-9, false)]
    [InlineData(double.NaN, false)]
    public void Step_must_be_judged_by_the_deviation_of_the_steps_before_it(double value, bool spikes) =>
        Assert.Equal(spikes, Spikes.Find(Course([1.1, .9, 1.1, .9, value]), new(SpikeAnswer.Continue, 10, 4)) is not null);

    [Fact]
    public void Message_must_name_the_metric_and_the_numbers() => Assert.Equal(
        "step 5: optim/grad_norm is 3, 20.0 standard deviations above the 1 of the last 4 steps",
        Spikes.Find(Course([1.1, .9, 1.1, .9, 3]), new(SpikeAnswer.Continue, 10, 4)));

    [Fact]
    public void Quiet_course_must_not_make_a_spike_of_nothing()
    {
        // No deviation at all: a twentieth of the mean counts as one.
        Assert.Null(Spikes.Find(Course([2, 2, 2, 2, 2.9]), new(SpikeAnswer.Continue, 10, 4)));
        Assert.NotNull(Spikes.Find(Course([2, 2, 2, 2, 3.1]), new(SpikeAnswer.Continue, 10, 4)));
        Assert.Null(Spikes.Find(Course([0, 0, 0, 0, .009]), new(SpikeAnswer.Continue, 10, 4)));
    }

    [Fact]
    public void Nothing_must_be_judged_before_the_window_is_full_or_when_it_is_off()
    {
        Assert.Null(Spikes.Find(Course([1, 1, 1, 100]), new(SpikeAnswer.Continue, 10, 4)));
        Assert.Null(Spikes.Find(Course([1, 1, 1, 1, 100]), SpikeSettings.Off));
    }

    [Fact]
    public void Spike_must_be_said_once_where_the_run_goes_on()
    {
        var ledger = Train(Started(SpikeAnswer.Continue), [1, 1, 1, 1, 100]);
        var seen = Assert.IsType<SpikeSeen>(Assert.Single(ledger.AnswerSpike()));
        Assert.Equal(5, seen.Step);
        ledger = ledger.Apply(seen);
        Assert.Empty(ledger.AnswerSpike());
        Assert.NotEmpty(ledger.Admit());
        // The window keeps four steps and the one that is judged.
        Assert.Equal([2, 3, 4, 5, 6], Train(ledger, [1], from: 6).Course.Select(step => step.Step));
    }

    [Fact]
    public void Spike_must_pause_until_a_person_has_seen_it()
    {
        var ledger = Train(Started(SpikeAnswer.Pause), [1, 1, 1, 1, 100]);
        ledger = Apply(ledger, ledger.AnswerSpike());
        Assert.StartsWith("step 5: optim/grad_norm is 100, ", ledger.PauseReason, StringComparison.Ordinal);
        Assert.Empty(ledger.Admit());
        ledger = ledger.Apply(ledger.Resume().Events[0]);
        Assert.Empty(ledger.AnswerSpike());
        Assert.NotEmpty(ledger.Admit());
    }

    [Fact]
    public void Spike_must_take_the_weights_back_to_the_checkpoint_before_it_and_pause_when_that_does_not_help()
    {
        var ledger = Train(Started(SpikeAnswer.RollBack), [1, 1, 1, 1]);
        ledger = Commit(ledger, 3);
        ledger = Train(ledger, [100], from: 5);
        ledger = Commit(ledger, 5);
        var answer = ledger.AnswerSpike();
        var rolled = Assert.IsType<RolledBack>(answer[1]);
        Assert.Equal((6, 3), (rolled.Step, rolled.To.Step));
        ledger = Apply(ledger, answer);
        // Steps 4 and 5 are undone: their four groups are quarantined, and they are no course to be judged by.
        Assert.Equal((6L, 4L), (ledger.Trained, ledger.Filtered));
        Assert.Equal([1, 2, 3], ledger.Course.Select(step => step.Step));
        ledger = Train(ledger, [1, 100], from: 6);
        Assert.Contains("also after a roll back", Assert.IsType<RunPaused>(ledger.AnswerSpike()[1]).Reason, StringComparison.Ordinal);
    }

    [Fact]
    public void Skipped_step_must_be_no_part_of_the_course()
    {
        var ledger = Train(Started(SpikeAnswer.Pause), [1, 1, 1, 1]);
        ledger = Train(ledger, [100], from: 5, skipped: true);
        Assert.Empty(ledger.AnswerSpike());
        Assert.Equal(4, ledger.Course.Count);
    }

    private static ImmutableList<StepGauges> Course(double[] gradients) => [.. gradients.Select((gradient, i) => StepGauges.Of(Report(i + 1, gradient, false)))];

    private static RunLedger Started(SpikeAnswer answer) => new RunLedger(new LedgerSettings(2, 1, 20, false) { Spikes = new(answer, 10, 4) })
        .Apply(new EpochGranted(1, "a"))
        .Apply(new BaseReady(Policy(0), Saved(0), ImmutableSortedDictionary<string, double>.Empty));

    private static RunLedger Train(RunLedger ledger, double[] gradients, int from = 1, bool skipped = false)
    {
        foreach (var (i, gradient) in gradients.Index())
        {
            foreach (var issued in ledger.Admit()) ledger = ledger.Apply(issued);
            foreach (var ordinal in ledger.Running.Keys) ledger = ledger.Apply(new GroupCompleted(ordinal, ledger.Version, ledger.Version, Zero));
            ledger = ledger.Apply(ledger.FormBatch()!);
            ledger = ledger.Apply(new StepTrained(1, Report(from + i, gradient, skipped)));
        }

        return ledger;
    }

    private static RunLedger Apply(RunLedger ledger, ImmutableArray<IRunEvent> events) => events.Aggregate(ledger, (before, change) => before.Apply(change));

    private static RunLedger Commit(RunLedger ledger, int step) => ledger.Apply(new CheckpointCommitted(Saved(step)));

    private static StepReport Report(int step, double gradient, bool skipped) =>
        new(step, Policy(step), skipped, ImmutableSortedDictionary<string, double>.Empty.Add("optim/grad_norm", gradient).Add("optim/loss", -.1).Add("kl/behaviour_k3", 0));

    private static Checkpoint Saved(int step) => new(step, $"checkpoints/step_{step}", Zero);

    private static PolicyManifest Policy(int version) => new(1, version, Zero, "", PayloadKind.Full, 1, $"v{version}");
}
