using System.Collections.Immutable;
using Lateral.Core.Learning;
using Lateral.Core.Policies;
using Lateral.Core.Rewards;
using Lateral.Core.Rollouts;
using Lateral.Diffusion.Learning;
using Lateral.Diffusion.Likelihoods;

namespace Lateral.Tests.Diffusion;

public class LearnerMetricsTests
{
    [Fact]
    public void Batch_must_keep_constant_groups_in_the_denominator_without_scoring_them()
    {
        var batch = GroupBatch.From(Rollouts.Batch(1, 3, 2, 1, (g, i) => g == 1 ? .1 : i), new GroupMean(), 8);
        Assert.Equal(6 * 4, batch.Tokens);
        Assert.Equal(1, batch.ZeroVarianceGroups);
        Assert.Equal([0, 1, 4, 5], batch.Scored);
        Assert.Equal([-.5f, .5f, 0, 0, -.5f, .5f], batch.Rollouts.Select(rollout => rollout.Advantage.OfCompletion));
    }

    [Fact]
    public void Batch_must_score_everything_when_nothing_has_a_gradient()
    {
        // .1 three times has a mean that is not .1 in floating point: equality of rewards decides, not the advantage.
        var batch = GroupBatch.From(Rollouts.Batch(1, 2, 3, 1, (_, _) => .1), new GroupZ(), 8);
        Assert.Equal(6, batch.Scored.Count);
        Assert.All(batch.Rollouts, rollout => Assert.False(rollout.Advantage.HasSignal));
    }

    [Fact]
    public void Batch_must_deal_groups_to_shards_in_order_by_the_planned_number()
    {
        var full = Rollouts.Batch(1, 8, 1, 1);
        Assert.Equal([0, 0, 1, 1, 2, 2, 3, 3], GroupBatch.From(full, new GroupMean(), 4).Rollouts.Select(rollout => rollout.Shard));
        Assert.Equal([0, 0, 1], GroupBatch.From(full with { Groups = full.Groups[..3] }, new GroupMean(), 4).Rollouts.Select(rollout => rollout.Shard));
        Assert.Empty(GroupBatch.From(full with { Groups = [] }, new GroupMean(), 4).Rollouts);
    }

    [Fact]
    public void Batch_must_refuse_a_reward_that_is_not_a_number()
    {
        var error = Assert.Throws<ArgumentException>(() => GroupBatch.From(Rollouts.Batch(7, 1, 2, 1, (_, i) => i == 1 ? double.NaN : 0), new GroupMean(), 8));
        Assert.Contains("step 7", error.Message);
        Assert.Contains("group=0/rollout=1", error.Message);
    }

    [Fact]
    public void Metrics_of_a_batch_must_be_hand_computed_ones()
    {
        Trajectory Make(int sibling, int steps, int[] reveal, float entropy, params PolicySpan[] policies) =>
            new(new(0, sibling), [1], [.. new int[reveal.Length]], [.. reveal], [.. new float[reveal.Length]], [.. new float[steps]], entropy, [.. policies], "");
        var group = new ScoredGroup(0,
        [
            new(Make(0, 2, [0, 1, 1, 0], .5f, new PolicySpan(0, 4, "a"), new PolicySpan(1, 6, "b")), 1, ImmutableSortedDictionary<string, double>.Empty),
            new(Make(1, 1, [0, -1, -1, -1], 2f, new PolicySpan(0, 6, "b")), 0, ImmutableSortedDictionary<string, double>.Empty),
        ]);
        var metrics = BatchMetrics.Of(GroupBatch.From(new(1, 8, 1, [group]), new GroupMean(), 8)).ToDictionary();
        Assert.Equal(.5, metrics["reward/mean"]);
        Assert.Equal(.5, metrics["reward/std"]);
        Assert.Equal(0, metrics["reward/frac_zero_std"]);
        Assert.Equal((4 * .5 + 1 * 2) / 5, metrics["entropy/reveal"], 1e-9);
        Assert.Equal(1.5, metrics["denoise/steps_mean"]);
        Assert.Equal(5 / 3.0, metrics["denoise/tokens_per_step"], 1e-9);
        // Step 8 consumes at version 7: oldest versions 4 and 6.
        // Rollout 0: steps 0 1 1 0 of 2, rollout 1 has one step.
        Assert.Equal(.25, metrics["reveal/commit_step"], 1e-9);
        Assert.Equal(0, metrics["reveal/left_to_right"], 1e-9);
        Assert.Equal(1, metrics["staleness/span"]);
        Assert.Equal(2, metrics["staleness/mean"]);
        Assert.Equal(3, metrics["staleness/max"]);
        Assert.Equal(5, metrics["tokens/trained"]);
    }

    [Fact]
    public void Metrics_of_scored_units_must_be_hand_computed_ones()
    {
        var log = new UnitLog();
        Unit[] units = [new(0, -1, 1, 1, 0), new(0, -1, 1, 1, 0), new(1, -2, 1, -1, 0)];
        // Ratios 2 and 1 in trajectory 0, 1/2 in trajectory 1.
        log.Add(units, [-1 + Math.Log(2), -1, -2 + Math.Log(.5)], [3, 4, 5], [1, 0, 0]);
        var metrics = log.Metrics().ToDictionary();
        var mean = 3.5 / 3;
        Assert.Equal(mean, metrics["ratio/mean"], 1e-9);
        Assert.Equal(Math.Sqrt((Math.Pow(2 - mean, 2) + Math.Pow(1 - mean, 2) + Math.Pow(.5 - mean, 2)) / 3), metrics["ratio/std"], 1e-9);
        Assert.Equal(1 / 3.0, metrics["ratio/clip_fraction"], 1e-9);
        Assert.Equal((.5, 0), (metrics["ratio/clip_fraction_good"], metrics["ratio/clip_fraction_bad"]));
        Assert.Equal((4 + 1 + .25) / 3 - 1, metrics["ratio/chi2"], 1e-9);
        Assert.Equal(0, metrics["kl/behaviour"], 1e-9);
        Assert.Equal((2 - 1 - Math.Log(2) + (.5 - 1 + Math.Log(2))) / 3, metrics["kl/behaviour_k3"], 1e-9);
        // Trajectory ratios 2 and 1/2.
        Assert.Equal(2.5 * 2.5 / (2 * 4.25), metrics["ratio/ess"], 1e-9);
        Assert.Equal(12 / 10.0, log.Loss(10), 1e-9);
        Assert.Empty(new UnitLog().Metrics());
    }
}
