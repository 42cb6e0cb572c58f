using System.Collections.Immutable;
using Lateral.Actors.Learning;
using Lateral.Actors.Runs;
using Lateral.Core.Learning;
using Lateral.Core.Policies;
using Lateral.Core.Rewards;
using Lateral.Core.Rollouts;
using Microsoft.Extensions.Time.Testing;

namespace Lateral.Actors.Tests;

public sealed class StepTimingSpecs
{
    /// <summary>Rollouts of 2 and 6 steps: phi = 6 * 2 / 8 = 1.5. g = 2 s, t = 1 s, and the step took 2.5 s.</summary>
    [Theory]
    [InlineData(true, (2.0 + 1) / 2, (2.0 + 1) / 2.5)]
    [InlineData(false, (2.0 * 1.5 + 1) / 2, (2.0 * 1.5 + 1) / 2.5)]
    public void Stragglers_must_cost_a_synchronous_wave_only_where_few_rows_cost_as_much_as_many(bool costByRow, double predicted, double measured)
    {
        var time = new FakeTimeProvider();
        var timing = new StepTiming(time, dedicatedDevices: true, costByRow);
        timing.Start(SamplerStatistics.Zero);
        time.Advance(TimeSpan.FromSeconds(2.5));
        var metrics = timing.Finish(
            new LearnerBatch(1, 1, 1, [new ScoredGroup(0, [Rollout(0, steps: 2), Rollout(1, steps: 6)])]),
            new StepReport(1, new PolicyManifest(1, 1, "h", "", PayloadKind.Full, 1, "v1"), false, ImmutableSortedDictionary<string, double>.Empty.Add("time/train", 1)),
            SamplerStatistics.Zero with { BusySeconds = 2 });

        Assert.Equal(1.5, metrics["speedup/straggler"], 12);
        Assert.Equal(predicted, metrics["speedup/predicted"], 12);
        Assert.Equal(measured, metrics["speedup/measured"], 12);
    }

    [Fact]
    public void Canary_of_a_step_must_be_the_largest_of_the_samplers_last_swaps_and_absent_where_none_compared()
    {
        var totals = new SamplerTotals();
        void Report(string sampler, long forwards, double? difference) =>
            totals.Note(new(sampler, SamplerStatistics.Zero with { Forwards = forwards, CanaryDifference = difference }));
        double? Metric() => new StepTiming(new FakeTimeProvider(), dedicatedDevices: true, costByRow: true)
            .Finish(new LearnerBatch(1, 1, 0, []), new StepReport(1, new(1, 1, "h", "", PayloadKind.Full, 1, "v1"), false, ImmutableSortedDictionary<string, double>.Empty), totals.Sum)
            .TryGetValue("policy/canary_difference", out var metric) ? metric : null;

        Report("a", 1, null);
        Assert.Null(Metric());
        Report("a", 2, 3e-7);
        Report("b", 1, 0);
        Assert.Equal((3e-7, 3L), (Metric(), totals.Sum.Forwards));
        // The next swap of the same sampler replaces its last one.
        Report("a", 4, 1e-7);
        Assert.Equal((1e-7, 5L), (Metric(), totals.Sum.Forwards));
    }

    private static ScoredTrajectory Rollout(int sibling, int steps) => new(
        new Trajectory(new(0, sibling), [1], [2], [0], [-1], [.. new float[steps]], .1f, [new(0, 0, "h")], "2"), 1, ImmutableSortedDictionary<string, double>.Empty);
}
