using System.Collections.Immutable;
using Lateral.Actors.Learning;
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

    private static ScoredTrajectory Rollout(int sibling, int steps) => new(
        new Trajectory(new(0, sibling), [1], [2], [0], [-1], [.. new float[steps]], .1f, [new(0, 0, "h")], "2"), 1, ImmutableSortedDictionary<string, double>.Empty);
}
