using CsCheck;
using Lateral.Core.Learning;

namespace Lateral.Core.Tests;

public class AdvantagesTests
{
    private static readonly Gen<double[]> Rewards = Gen.Double[-2, 2].Array[1, 16];

    [Fact]
    public void GroupMean_must_subtract_the_mean() =>
        Assert.Equal([.75, -.25, -.25, -.25], new GroupMean().Compute([1, 0, 0, 0]));

    /// <summary>mean 1/4, population variance (9 + 3 * 1) / 64 = 3/16, standard deviation .4330127.</summary>
    [Fact]
    public void GroupZ_must_divide_by_the_population_standard_deviation()
    {
        var advantages = new GroupZ().Compute([1, 0, 0, 0]);
        Assert.Equal(.75 / .4331127, advantages[0], 7);
        Assert.All(advantages.Skip(1), a => Assert.Equal(-.25 / .4331127, a, 7));
    }

    /// <summary>One success in sixteen: mean 1/16, standard deviation sqrt(15)/16 = .2420615.</summary>
    [Fact]
    public void GroupZ_must_weigh_a_rare_success_by_the_root_of_its_odds()
    {
        double[] rewards = [.. Enumerable.Repeat(0.0, 15), 1];
        Assert.Equal(.9375 / .2421615, new GroupZ().Compute(rewards)[15], 5);
    }

    [Theory]
    [InlineData("group-mean", 1.0)]
    [InlineData("group-z", 0.1)]
    [InlineData("group-z", 0.0)]
    public void Advantage_must_be_zero_where_all_rewards_are_equal(string name, double reward)
    {
        var advantages = Advantages.ByName(name).Compute([.. Enumerable.Repeat(reward, 8)]);
        Assert.Equal(8, advantages.Length);
        Assert.All(advantages, a => Assert.Equal(0, a, 9));
    }

    [Fact]
    public void GroupMean_must_sum_to_zero_and_ignore_a_constant() =>
        Rewards.Sample(rewards =>
        {
            var advantages = new GroupMean().Compute(rewards);
            var shifted = new GroupMean().Compute([.. rewards.Select(r => r + 3)]);
            Assert.Equal(0, advantages.Sum(), 9);
            Assert.All(advantages.Zip(shifted), pair => Assert.Equal(pair.First, pair.Second, 9));
        });

    [Fact]
    public void GroupZ_must_be_GroupMean_over_one_positive_number() =>
        Rewards.Sample(rewards =>
        {
            var (centred, scaled) = (new GroupMean().Compute(rewards), new GroupZ().Compute(rewards));
            var variance = centred.Average(a => a * a);
            Assert.All(centred.Zip(scaled), pair => Assert.Equal(pair.First, pair.Second * (Math.Sqrt(variance) + 1e-4), 9));
        });

    [Fact]
    public void Advantage_must_follow_the_order_of_its_siblings() =>
        Rewards.Sample(rewards =>
        {
            var reversed = new GroupZ().Compute([.. rewards.Reverse()]);
            Assert.All(new GroupZ().Compute(rewards).Zip(reversed.Reverse()), pair => Assert.Equal(pair.First, pair.Second, 9));
        });

    [Fact]
    public void Advantage_must_be_empty_for_an_empty_group() =>
        Assert.All(Advantages.Names, name => Assert.Empty(Advantages.ByName(name).Compute([])));

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
