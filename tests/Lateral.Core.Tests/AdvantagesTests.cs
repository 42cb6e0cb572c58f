using CsCheck;
using Lateral.Core.Learning;

namespace Lateral.Core.Tests;

public class AdvantagesTests
{
    private static readonly Gen<double[]> Rewards = Gen.Double[-2, 2].Array[1, 16];

    private static double[] Compute(GroupAdvantage advantage, double[] rewards) => advantage.Compute([rewards])[0];

    [Fact]
    public void GroupMean_must_subtract_the_mean() =>
        Assert.Equal([.75, -.25, -.25, -.25], Compute(new GroupMean(), [1, 0, 0, 0]));

    /// <summary>mean 1/4, population variance (9 + 3 * 1) / 64 = 3/16, standard deviation .4330127.</summary>
    [Fact]
    public void GroupZ_must_divide_by_the_population_standard_deviation()
    {
        var advantages = Compute(new GroupZ(), [1, 0, 0, 0]);
        Assert.Equal(.75 / .4331127, advantages[0], 7);
        Assert.All(advantages.Skip(1), a => Assert.Equal(-.25 / .4331127, a, 7));
    }

    /// <summary>One success in sixteen: mean 1/16, standard deviation sqrt(15)/16 = .2420615.</summary>
    [Fact]
    public void GroupZ_must_weigh_a_rare_success_by_the_root_of_its_odds()
    {
        double[] rewards = [.. Enumerable.Repeat(0.0, 15), 1];
        Assert.Equal(.9375 / .2421615, Compute(new GroupZ(), rewards)[15], 5);
    }

    [Theory]
    [InlineData("group-mean", 1.0)]
    [InlineData("group-z", 0.1)]
    [InlineData("group-z", 0.0)]
    public void Advantage_must_be_zero_where_all_rewards_are_equal(string name, double reward)
    {
        var advantages = Compute(Advantages.ByName(name), [.. Enumerable.Repeat(reward, 8)]);
        Assert.Equal(8, advantages.Length);
        Assert.All(advantages, a => Assert.Equal(0, a, 1e-9));
    }

    [Fact]
    public void GroupMean_must_sum_to_zero_and_ignore_a_constant() =>
        Rewards.Sample(rewards =>
        {
            var advantages = Compute(new GroupMean(), rewards);
            var shifted = Compute(new GroupMean(), [.. rewards.Select(r => r + 3)]);
            Assert.Equal(0, advantages.Sum(), 1e-9);
            Assert.All(advantages.Zip(shifted), pair => Assert.Equal(pair.First, pair.Second, 1e-9));
        });

    [Fact]
    public void GroupZ_must_be_GroupMean_over_one_positive_number() =>
        Rewards.Sample(rewards =>
        {
            var (centred, scaled) = (Compute(new GroupMean(), rewards), Compute(new GroupZ(), rewards));
            var variance = centred.Average(a => a * a);
            Assert.All(centred.Zip(scaled), pair => Assert.Equal(pair.First, pair.Second * (Math.Sqrt(variance) + 1e-4), 1e-9));
        });

    [Fact]
    public void Advantage_must_follow_the_order_of_its_siblings() =>
        Rewards.Sample(rewards =>
        {
            var reversed = Compute(new GroupZ(), [.. rewards.Reverse()]);
            Assert.All(Compute(new GroupZ(), rewards).Zip(reversed.Reverse()), pair => Assert.Equal(pair.First, pair.Second, 1e-9));
        });

    [Fact]
    public void Leave_one_out_must_be_the_mean_of_the_others_and_so_the_centred_reward_times_a_factor() =>
        Rewards.Sample(rewards =>
        {
            var advantages = Compute(new LeaveOneOut(), rewards);
            for (var i = 0; i < rewards.Length && rewards.Length > 1; i++)
            {
                Assert.Equal(rewards[i] - rewards.Where((_, other) => other != i).Average(), advantages[i], 1e-9);
                Assert.Equal(rewards.Length / (rewards.Length - 1.0) * Compute(new GroupMean(), rewards)[i], advantages[i], 1e-9);
            }

            if (rewards.Length == 1) Assert.Equal([0], advantages);
        });

    /// <summary>All rewards: 1 0 0 0 1 1 1 1, mean 5/8, variance 15/64.</summary>
    [Fact]
    public void BatchZ_must_center_by_the_group_and_divide_by_the_batch()
    {
        var advantages = new BatchZ().Compute([[1, 0, 0, 0], [1, 1, 1, 1]]);
        Assert.Equal(.75 / (Math.Sqrt(15 / 64.0) + 1e-4), advantages[0][0], 1e-9);
        Assert.Equal(-.25 / (Math.Sqrt(15 / 64.0) + 1e-4), advantages[0][1], 1e-9);
        Assert.Equal([0, 0, 0, 0], advantages[1]);
    }

    [Fact]
    public void Softmax_weights_must_be_those_of_two_softmaxes()
    {
        var e = Math.E;
        Assert.Equal(e / (e + 3) - 1 / e / (1 / e + 3), Compute(new SoftmaxWeights(), [1, 0, 0, 0])[0], 1e-9);
        Rewards.Sample(rewards => Assert.Equal(0, Compute(new SoftmaxWeights(), rewards).Sum(), 1e-9));
        Assert.All(Compute(new SoftmaxWeights(), [1000, -1000]), weight => Assert.Equal(1, Math.Abs(weight), 1e-9));
    }

    [Fact]
    public void Preferences_must_mark_one_best_and_one_worst_or_good_and_bad()
    {
        Assert.Equal([0, 1, -1, 0, 0], Compute(new BestAndWorst(), [.5, 1, 0, 1, 0]));
        Assert.Equal([0, 0], Compute(new BestAndWorst(), [1, 1]));
        Assert.Equal([-1, 1, -1, 1, -1], Compute(new AboveMean(), [.25, 1, 0, 1, 0]));
    }

    [Fact]
    public void Advantage_must_be_empty_for_an_empty_group() =>
        Assert.All(Advantages.OfGroups, name => Assert.Empty(Compute(Advantages.ByName(name), [])));

    [Fact]
    public void ByName_must_list_what_it_knows_when_the_name_is_unknown()
    {
        var error = Assert.Throws<ArgumentException>(() => Advantages.ByName("group-median"));
        Assert.Contains("unknown advantage 'group-median'; one of: group-mean, group-z", error.Message);
    }

    [Fact]
    public void Statistics_must_match_values_worked_by_hand()
    {
        Assert.Equal(5, Statistics.Mean([2, 4, 4, 4, 5, 5, 7, 9]));
        Assert.Equal(2, Statistics.StandardDeviation([2, 4, 4, 4, 5, 5, 7, 9]));
        Assert.Equal(0, Statistics.Mean([]));
        Assert.Equal(0, Statistics.StandardDeviation([]));
    }
}
