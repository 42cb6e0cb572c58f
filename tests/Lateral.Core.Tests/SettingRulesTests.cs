using Lateral.Core.Learning;
using Lateral.Core.Rollouts;

namespace Lateral.Core.Tests;

/// <summary>The tables that settings are checked against.</summary>
public sealed class SettingRulesTests
{
    [Theory]
    [InlineData(32, 7, 4, 8)]
    [InlineData(32, 8, 8, 8)]
    [InlineData(5, 2, 1, 5)]
    [InlineData(12, 5, 4, 6)]
    [InlineData(12, 40, 12, null)]
    [InlineData(7, 0, 1, 1)]
    public void Divisors_must_be_the_nearest_on_both_sides(int total, int value, int below, int? above) => Assert.Equal((below, above), Divisors.Near(total, value));

    [Theory]
    [InlineData(32, 7, "4 or 8")]
    [InlineData(32, 8, "8")]
    [InlineData(12, 40, "12")]
    public void Divisor_advice_must_name_what_there_is(int total, int value, string advice) => Assert.Equal(advice, Divisors.Advice(total, value));

    [Theory]
    [InlineData("random", "behaviour-clip", RatioWorth.Exact)]
    [InlineData("max-prob", "behaviour-clip", RatioWorth.ExactOnPolicyOnly)]
    [InlineData("random", "none", RatioWorth.None)]
    [InlineData("max-prob", "none", RatioWorth.None)]
    public void Ratio_must_be_worth_what_the_reveal_rule_leaves_of_it(string reveal, string correction, RatioWorth worth) =>
        Assert.Equal(worth, RatioExactness.Of(RevealRules.ByName(reveal), CorrectionRules.ByName(correction)));

    [Theory]
    [InlineData(Exactness.OnAndOffPolicy)]
    [InlineData(Exactness.OnPolicyOnly)]
    [InlineData(Exactness.Approximate)]
    public void Ratio_of_a_whole_completion_must_be_approximate(Exactness exactness) =>
        Assert.Equal(RatioWorth.Approximate, RatioExactness.Of(new RevealRule("any", exactness), new CorrectionRule("any", RatioGranularity.Sequence)));

    [Fact]
    public void Usual_epsilon_of_one_granularity_must_be_refused_for_the_other()
    {
        var (token, sequence) = (new CorrectionRule("a", RatioGranularity.Token).Epsilon!, new CorrectionRule("b", RatioGranularity.Sequence).Epsilon!);
        Assert.True(token.IsUsual(0.2) && sequence.IsUsual(3e-4));
        Assert.False(token.Allows(3e-4) || sequence.Allows(0.2));
        Assert.True(token.Allows(0.1) && !token.IsUsual(0.1));
        Assert.Null(new CorrectionRule("c", RatioGranularity.None).Epsilon);
    }
}
