using CsCheck;
using Lateral.Core.Learning;

namespace Lateral.Core.Tests;

public sealed class ValueGaeTests
{
    private static CriticSettings Settings(double gamma = 1, double lambda = 1) => new(gamma, lambda, 1e-3, .2);

    /// <summary>
    /// Step 1: R = 1, A = 1 - V = .6 and .2; means R* 1, V* .6, A* .4. Step 0: R = .9, A = .9 * .6 - V + .9 * .5 * .4 = .72 - V.
    /// </summary>
    [Fact]
    public void Recursion_must_give_the_hand_computed_returns_and_advantages()
    {
        var (returns, advantages) = ValueGae.Of(RolloutAdvantageTests.Example([0, 1, 0, 1, -1], 2), 1, [.1f, .4f, .3f, .8f, 7], Settings(.9, .5), merge: 1);
        Assert.Equal([.9f, 1, .9f, 1, 0], returns);
        float[] expected = [.62f, .6f, .42f, .2f, 0];
        Assert.All(expected.Zip(advantages), pair => Assert.Equal(pair.First, pair.Second, 1e-6f));
    }

    [Fact]
    public void Merged_steps_must_count_as_one()
    {
        // Steps 0 and 1 are one state, 2 the other: the discount is taken once.
        var merged = ValueGae.Of(RolloutAdvantageTests.Example([0, 1, 2], 3), 2, [.5f, .25f, 1], Settings(.5), merge: 2);
        Assert.Equal([1, 1, 2], merged.Returns);
        Assert.Equal([.5f, .75f, 1], merged.Advantages);
    }

    [Fact]
    public void Advantage_must_be_the_reward_minus_the_value_without_discount() => Examples.Sample(example =>
    {
        var (returns, advantages) = ValueGae.Of(example.Trajectory, example.Reward, example.Values, Settings(), 1);
        for (var j = 0; j < advantages.Length; j++)
        {
            Assert.Equal(example.Reward, returns[j], 1e-6);
            Assert.Equal(example.Reward - example.Values[j], advantages[j], 1e-5);
        }
    });

    [Fact]
    public void Advantage_must_be_one_steps_surprise_where_lambda_is_zero() => Examples.Sample(example =>
    {
        var (trajectory, reward, values) = example;
        var advantages = ValueGae.Of(trajectory, reward, values, Settings(.9, 0), 1).Advantages;
        for (var j = 0; j < advantages.Length; j++)
        {
            var next = trajectory.RevealStep[j] + 1;
            var expected = next == trajectory.Steps ? reward : .9 * Enumerable.Range(0, values.Length).Where(k => trajectory.RevealStep[k] == next).Average(k => values[k]);
            Assert.Equal(expected - values[j], advantages[j], 1e-5);
        }
    });

    /// <summary>
    /// Two tokens of two values, drawn one after the other with probabilities of a table: with the true values the expectation of A times the score is the
    /// gradient of the expected reward, whatever lambda is; with a wrong value of the second state only where lambda = 1.
    /// </summary>
    [Theory]
    [InlineData(0.0)]
    [InlineData(0.5)]
    [InlineData(1.0)]
    public void Expected_gradient_must_be_that_of_the_expected_reward(double lambda)
    {
        double[] first = [.3, .7];
        double[][] second = [[.6, .4], [.2, .8]];
        double[][] reward = [[1, -.5], [.25, 2]];
        double[] value = [.. second.Select((p, a) => p.Zip(reward[a], (x, r) => x * r).Sum())];
        var start = first.Zip(value, (p, v) => p * v).Sum();
        // d E[R] / d logit of token a = p(a) (V(a) - V); the same one step later.
        double[] expected = [.. first.Select((p, a) => p * (value[a] - start)), .. first.SelectMany((p, a) => second[a].Select((q, b) => p * q * (reward[a][b] - value[a])))];
        Assert.All(expected.Zip(Gradient(start, value)), pair => Assert.Equal(pair.First, pair.Second, 1e-6));
        var wrong = expected.Zip(Gradient(start, [value[0] + .5, value[1]])).Max(pair => Math.Abs(pair.First - pair.Second));
        Assert.Equal(lambda == 1, wrong < 1e-6);

        double[] Gradient(double v, double[] w)
        {
            var gradient = new double[6];
            foreach (var (a, b) in from a in new[] { 0, 1 } from b in new[] { 0, 1 } select (a, b))
            {
                var advantages = ValueGae.Of(RolloutAdvantageTests.Example([0, 1], 2), reward[a][b], [(float)v, (float)w[a]], Settings(1, lambda), 1).Advantages;
                var p = first[a] * second[a][b];
                for (var k = 0; k < 2; k++)
                {
                    gradient[k] += p * advantages[0] * ((k == a ? 1 : 0) - first[k]);
                    gradient[2 + (2 * a) + k] += p * advantages[1] * ((k == b ? 1 : 0) - second[a][k]);
                }
            }

            return gradient;
        }
    }

    private static Gen<(Rollouts.Trajectory Trajectory, double Reward, float[] Values)> Examples { get; } =
        from steps in Gen.Int[1, 5]
        from more in Gen.Int[0, steps - 1].Array[0, 6]
        from reward in Gen.Double[-1, 1]
        let order = Enumerable.Range(0, steps).Concat(more).Reverse().ToArray()
        from values in Gen.Double[-1, 1].Array[order.Length]
        select (RolloutAdvantageTests.Example([.. order], steps), reward, Array.ConvertAll(values, value => (float)value));
}
