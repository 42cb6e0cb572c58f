using System.Collections.Immutable;
using Lateral.Core.Policies;
using Lateral.Core.Rewards;
using Lateral.Core.Rollouts;
using Lateral.Core.Runs;

namespace Lateral.Core.Tests;

public sealed class RolloutGroupTests
{
    private static readonly ImmutableSortedDictionary<string, double> NoParts = ImmutableSortedDictionary<string, double>.Empty;

    private static readonly RolloutGroup Empty = new(5, 2,
    [
        new RewardPoolSpec("answer", "sort", 1, 2.0, TimeSpan.FromSeconds(1), -1),
        new RewardPoolSpec("format", "sort", 1, 0.5, TimeSpan.FromSeconds(1), 0),
    ]);

    [Fact]
    public void Reward_must_be_the_weighted_sum_over_pools_with_a_prefixed_breakdown()
    {
        var group = Apply(Empty, Empty.Record([Sampled(0), Sampled(1)]));
        group = Apply(group, group.Record("answer", [(0, new RewardOutcome.Scored(1, NoParts.Add("exact", 1))), (1, new RewardOutcome.ModelFault("unreadable"))]));
        Assert.False(group.IsComplete);
        group = Apply(group, group.Record("format", [(0, new RewardOutcome.Scored(1, NoParts)), (1, new RewardOutcome.Scored(0.5, NoParts))]));
        Assert.True(group.IsComplete);
        var scored = group.ToScored();
        Assert.Equal([2 * 1 + 0.5 * 1, 2 * -1 + 0.5 * 0.5], scored.Siblings.Select(sibling => sibling.Reward));
        Assert.Equal(1, scored.Siblings[0].Breakdown["answer/exact"]);
    }

    /// <summary>2 x 1 + .5 x 1 = 2.5; two of four steps revealed something, so a share of .4 costs .4 x 2 / 4 of it.</summary>
    [Fact]
    public void Steps_that_revealed_something_must_cost_their_part_of_the_reward()
    {
        var group = Apply(Empty with { StepCost = new(.4, 4) }, Empty.Record([Sampled(0) with { RevealStep = [3, 1, 3, -1] }, Sampled(1) with { RevealStep = [0, 1, 2, 3] }]));
        foreach (var pool in new[] { "answer", "format" }) group = Apply(group, group.Record(pool, [(0, new RewardOutcome.Scored(1, NoParts)), (1, new RewardOutcome.Scored(1, NoParts))]));
        Assert.Equal([2.5 * (1 - (.4 * 2 / 4)), 2.5 * (1 - .4)], group.ToScored().Siblings.Select(sibling => sibling.Reward));
        Assert.Equal(1, group.ToScored().Siblings[0].Breakdown["answer"]);
        Assert.Equal([2.5, 2.5], (group with { StepCost = default }).ToScored().Siblings.Select(sibling => sibling.Reward));
    }

    /// <summary>Pools of weight 2 and .5; two of four steps cost .4 x 2 / 4 = .2 of all of it.</summary>
    [Fact]
    public void Guesses_must_be_worth_what_their_rollout_would_have_got_for_them()
    {
        var group = Apply(Empty with { StepCost = new(.4, 4) }, Empty.Record([Sampled(0) with { Guesses = ["11", "12"] }, Sampled(1)]));
        group = Apply(group, group.Record("answer", [(0, new RewardOutcome.Scored(1, NoParts) { Guesses = [0, 1] }), (1, new RewardOutcome.Scored(1, NoParts))]));
        group = Apply(group, group.Record("format", [(0, new RewardOutcome.ModelFault("unreadable") { Guesses = [.5, -1] }), (1, new RewardOutcome.Scored(1, NoParts))]));
        Assert.Equal([.25 * .8, 1.5 * .8], group.ToScored().Siblings[0].GuessRewards.ToArray(), NearDouble);
        Assert.Empty(group.ToScored().Siblings[1].GuessRewards);

        bool NearDouble(double a, double b) => Math.Abs(a - b) < 1e-12;
    }

    [Fact]
    public void Outcome_that_leaves_guesses_out_must_count_as_an_infrastructure_fault()
    {
        var group = Apply(Empty, Empty.Record([Sampled(0) with { Guesses = ["11", "12"] }]));
        group = Apply(group, group.Record("answer", [(0, new RewardOutcome.Scored(1, NoParts) { Guesses = [1] })]));
        Assert.Empty(group.Rewards);
        Assert.Equal(1, group.InfraFaults);
    }

    [Fact]
    public void Sibling_must_be_recorded_once_and_only_for_its_own_group()
    {
        var group = Apply(Empty, Empty.Record([Sampled(0)]));
        Assert.Empty(group.Record([Sampled(0), Sampled(2), Sampled(1) with { Id = new RolloutId(6, 1) }]));
        Assert.Equal(1, Assert.Single(group.MissingSiblings));
    }

    [Fact]
    public void Infrastructure_fault_must_never_become_a_value_and_three_must_quarantine_the_group()
    {
        var group = Apply(Empty, Empty.Record([Sampled(0), Sampled(1)]));
        for (var attempt = 1; attempt <= 3; attempt++)
        {
            Assert.Null(group.QuarantineReason);
            group = Apply(group, group.Record("answer", [(0, new RewardOutcome.InfraFault("host down")), (1, new RewardOutcome.Scored(1, NoParts))]));
            Assert.Single(group.Rewards);
        }

        Assert.Contains("host down", group.QuarantineReason, StringComparison.Ordinal);
        Assert.False(group.IsComplete);
        Assert.Throws<InvalidOperationException>(group.ToScored);
    }

    [Fact]
    public void Pool_that_may_be_skipped_must_be_left_out_of_all_siblings_rewards_and_quarantine_nothing()
    {
        var group = Apply(Empty with { Pools = [Empty.Pools[0], Empty.Pools[1] with { OnFailure = PoolFailureAnswer.Skip }] }, Empty.Record([Sampled(0), Sampled(1)]));
        group = Apply(group, group.Record("answer", [(0, new RewardOutcome.Scored(1, NoParts)), (1, new RewardOutcome.Scored(0, NoParts))]));
        for (var attempt = 1; attempt <= 3; attempt++)
        {
            Assert.False(group.IsComplete);
            // One sibling is valued and the other never is: its value is not used either.
            group = Apply(group, group.Record("format", [(0, new RewardOutcome.Scored(1, NoParts)), (1, new RewardOutcome.InfraFault("503"))]));
        }

        Assert.True(group.IsComplete);
        Assert.Equal("reward pool 'format' failed 3 times: 503", group.Skipped["format"]);
        var scored = group.ToScored();
        Assert.Equal([2.0, 0.0], scored.Siblings.Select(sibling => sibling.Reward));
        Assert.All(scored.Siblings, sibling => Assert.Equal(1, sibling.Breakdown["format/skipped"]));
        Assert.All(scored.Siblings, sibling => Assert.DoesNotContain("format", sibling.Breakdown.Keys));
        Assert.Empty(group.Unscored("format"));
        Assert.Empty(group.Record("format", [(1, new RewardOutcome.Scored(1, NoParts))]));
    }

    [Fact]
    public void Group_that_no_pool_is_left_for_must_be_quarantined()
    {
        var group = Apply(Empty with { Pools = [.. Empty.Pools.Select(pool => pool with { OnFailure = PoolFailureAnswer.Skip })] }, Empty.Record([Sampled(0)]));
        foreach (var pool in new[] { "answer", "format" })
            for (var attempt = 1; attempt <= 3; attempt++) group = Apply(group, group.Record(pool, [(0, new RewardOutcome.InfraFault("503"))]));
        Assert.Equal("reward pool 'format' failed 3 times: 503", group.QuarantineReason);
    }

    [Fact]
    public void Pool_that_quarantines_must_do_so_with_the_first_failure_and_failures_must_count_by_pool()
    {
        var strict = Empty with { Pools = [Empty.Pools[0] with { OnFailure = PoolFailureAnswer.Quarantine }, Empty.Pools[1]] };
        var group = Apply(strict, strict.Record([Sampled(0)]));
        for (var attempt = 1; attempt <= 2; attempt++) group = Apply(group, group.Record("format", [(0, new RewardOutcome.InfraFault("slow"))]));
        Assert.Null(group.QuarantineReason);
        group = Apply(group, group.Record("answer", [(0, new RewardOutcome.InfraFault("no sandbox"))]));
        Assert.Equal("reward pool 'answer' failed: no sandbox", group.QuarantineReason);
        Assert.Equal(3, group.InfraFaults);
    }

    [Theory]
    [InlineData(double.NaN)]
    [InlineData(double.PositiveInfinity)]
    public void Reward_that_is_not_a_number_must_count_as_an_infrastructure_fault(double value)
    {
        var group = Apply(Empty, Empty.Record([Sampled(0)]));
        group = Apply(group, group.Record("answer", [(0, new RewardOutcome.Scored(value, NoParts))]));
        Assert.Empty(group.Rewards);
        Assert.Equal(1, group.InfraFaults);
    }

    [Fact]
    public void Content_hash_must_change_with_any_field()
    {
        var scored = new ScoredGroup(5, [new ScoredTrajectory(Sampled(0), 1, NoParts)]);
        var (sibling, trajectory) = (scored.Siblings[0], scored.Siblings[0].Trajectory);
        ScoredTrajectory[] others =
        [
            sibling with { Reward = 0.5 },
            sibling with { Trajectory = trajectory with { Guesses = ["11", "12"] }, GuessRewards = [0, 1] },
            sibling with { Trajectory = trajectory with { Guesses = ["11", "12"] }, GuessRewards = [1, 1] },
            sibling with { Trajectory = trajectory with { Tokens = [1, 3] } },
            sibling with { Trajectory = trajectory with { RevealStep = [1, 0] } },
            sibling with { Trajectory = trajectory with { TokenLogProbs = [-.1f, -.25f] } },
            sibling with { Trajectory = trajectory with { Policies = [new PolicySpan(0, 4, "aa")] } },
        ];
        var hashes = others.Select(other => ContentHash.Of(scored with { Siblings = [other] })).Append(ContentHash.Of(scored)).ToArray();
        Assert.Equal(hashes.Length, hashes.Distinct().Count());
        Assert.Equal(ContentHash.Of(scored), ContentHash.Of(new ScoredGroup(5, [new ScoredTrajectory(Sampled(0), 1, NoParts)])));
    }

    private static RolloutGroup Apply(RolloutGroup group, ImmutableArray<IGroupEvent> events) => events.Aggregate(group, (state, change) => state.Apply(change));

    private static Trajectory Sampled(int sibling) =>
        new(new RolloutId(5, sibling), [7], [1, 2], [0, 1], [-.5f, -.25f], [0, 0], .1f, [new PolicySpan(0, 3, "aa")], "12");
}
