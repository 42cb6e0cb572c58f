using System.Collections.Immutable;
using Lateral.Core.Learning;
using Lateral.Core.Rewards;
using Lateral.Core.Rollouts;

namespace Lateral.Core.Tests;

public sealed class RolloutAdvantageTests
{
    [Theory]
    [InlineData(.1f)]
    [InlineData(-1e-8f)]
    [InlineData(0f)]
    public void One_number_must_be_that_of_every_token_step_and_completion_to_the_bit(float value)
    {
        RolloutAdvantage advantage = value;
        Assert.All([advantage.OfToken(3), advantage.OfStep(1), advantage.OfCompletion], one => Assert.Equal(BitConverter.SingleToInt32Bits(value), BitConverter.SingleToInt32Bits(one)));
        Assert.Equal(value != 0, advantage.HasSignal);
    }

    [Fact]
    public void Steps_and_completion_must_have_the_mean_of_their_tokens()
    {
        // The last position was never revealed: what stands there counts for nothing.
        var advantage = new RolloutAdvantage(Example([0, 1, 1, 0, -1], steps: 2), [.25f, -.5f, 0, .75f, 9]);
        Assert.Equal([.25f, -.5f, 0, .75f], Enumerable.Range(0, 4).Select(advantage.OfToken));
        Assert.Equal((.5f, -.25f, .125f), (advantage.OfStep(0), advantage.OfStep(1), advantage.OfCompletion));
        Assert.True(advantage.HasSignal);
        Assert.False(new RolloutAdvantage(Example([0, 1, -1], steps: 2), [0, 0, 9]).HasSignal);
    }

    [Fact]
    public void Advantages_of_groups_must_be_what_their_rewards_give_and_nothing_where_these_are_equal()
    {
        double[][] rewards = [[1, .3, 0, .1], [.1, .1, .1, .1], [0, 0, 0, 1]];
        ScoredGroup[] groups = [.. rewards.Select((group, g) => new ScoredGroup(g, [.. group.Select((reward, i) => new ScoredTrajectory(Example([0], 1, i), reward, ImmutableSortedDictionary<string, double>.Empty))]))];
        foreach (var advantage in Advantages.OfGroups.Select(Advantages.ByName))
        {
            var (expected, actual) = (advantage.Compute(rewards), advantage.Of(groups));
            foreach (var (g, i) in from g in new[] { 0, 2 } from i in Enumerable.Range(0, 4) select (g, i))
                Assert.Equal(BitConverter.SingleToInt32Bits((float)expected[g][i]), BitConverter.SingleToInt32Bits(actual[g][i].OfToken(0)));
            Assert.All(actual[1], one => Assert.False(one.HasSignal));
        }
    }

    internal static Trajectory Example(ImmutableArray<int> revealStep, int steps, int sibling = 0) =>
        new(new(1, sibling), [], revealStep, revealStep, [.. revealStep.Select(_ => -1f)], [.. Enumerable.Repeat(0f, steps)], 1, [new(0, 0, "h")], "");
}
