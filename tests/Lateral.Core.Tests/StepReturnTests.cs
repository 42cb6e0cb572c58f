using System.Collections.Immutable;
using Lateral.Core.Learning;
using Lateral.Core.Rewards;

namespace Lateral.Core.Tests;

public sealed class StepReturnTests
{
    /// <summary>
    /// Returns R + (R - r) / 2: [1.5, 1], [-.25, -.5] and [1.25]. Means of the first step .8333.. of three siblings, of the second .25 of two.
    /// </summary>
    [Fact]
    public void Step_must_earn_what_the_outcome_exceeds_its_guess_by_against_the_siblings_that_have_it()
    {
        var advantages = Assert.Single(new StepReturn(.5).Of([new(1, [Scored(0, [0, 1, 1], 2, 1, 0, 1), Scored(1, [1, 0, -1], 2, 0, .5, 1), Scored(2, [0, 0, 0], 1, 1, .5)])]));
        const double first = (1.5 - .25 + 1.25) / 3, second = (1 - .5) / 2;
        Assert.Equal(1.5 - first, advantages[0].OfStep(0), 1e-6);
        Assert.Equal(1 - second, advantages[0].OfStep(1), 1e-6);
        Assert.Equal(1 - second, advantages[0].OfToken(2), 1e-6);
        Assert.Equal(-.25 - first, advantages[1].OfStep(0), 1e-6);
        Assert.Equal(-.5 - second, advantages[1].OfStep(1), 1e-6);
        Assert.Equal(1.25 - first, advantages[2].OfStep(0), 1e-6);
    }

    [Fact]
    public void Without_a_weight_it_must_be_the_reward_against_the_mean_of_the_group()
    {
        ScoredGroup[] groups = [new(1, [Scored(0, [0, 1], 2, 1, 0, 1), Scored(1, [1, 0], 2, .25, .5, 1)])];
        var expected = new GroupMean().Of(groups)[0];
        Assert.All(Enumerable.Range(0, 4), i => Assert.Equal(expected[i / 2].OfStep(i % 2), new StepReturn(0).Of(groups)[0][i / 2].OfStep(i % 2), 1e-6));
    }

    [Fact]
    public void Steps_at_which_all_got_the_same_must_carry_no_signal()
    {
        // Equal rewards, and guesses that differ at the second step only.
        var advantages = Assert.Single(new StepReturn(1).Of([new(1, [Scored(0, [0, 1], 2, .3, .1, .1), Scored(1, [0, 1], 2, .3, .1, .3)])]));
        Assert.Equal([0, 0], advantages.Select(one => one.OfStep(0)));
        Assert.Equal([.1, -.1], advantages.Select(one => Math.Round(one.OfStep(1), 6)));
        var equal = Assert.Single(new StepReturn(1).Of([new(1, [Scored(0, [0, 1], 2, .3, .1, .1), Scored(1, [0, 1], 2, .3, .1, .1)])]));
        Assert.All(equal, one => Assert.False(one.HasSignal));
    }

    [Fact]
    public void Rollout_without_guesses_must_be_refused_with_the_reason()
    {
        var error = Assert.Throws<InvalidOperationException>(() => new StepReturn(1).Of([new(1, [Scored(0, [0, 1], 2, 1)])]));
        Assert.Contains("carries 0 rewards of guesses for its 2 steps: it was not sampled with algorithm.advantage = step-return", error.Message, StringComparison.Ordinal);
    }

    private static ScoredTrajectory Scored(int sibling, ImmutableArray<int> revealStep, int steps, double reward, params ImmutableArray<double> guesses) =>
        new(RolloutAdvantageTests.Example(revealStep, steps, sibling), reward, ImmutableSortedDictionary<string, double>.Empty) { GuessRewards = guesses };
}
