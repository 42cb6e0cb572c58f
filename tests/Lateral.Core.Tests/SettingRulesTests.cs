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
    [InlineData("random", RatioGranularity.Token, "behaviour-clip", RatioWorth.Exact)]
    [InlineData("random", RatioGranularity.Step, "dppo-tv", RatioWorth.Exact)]
    [InlineData("max-prob", RatioGranularity.Token, "behaviour-clip", RatioWorth.ExactOnPolicyOnly)]
    [InlineData("random", RatioGranularity.Token, "none", RatioWorth.None)]
    [InlineData("max-prob", RatioGranularity.Sequence, "none", RatioWorth.None)]
    [InlineData("random", RatioGranularity.Sequence, "behaviour-clip", RatioWorth.Approximate)]
    [InlineData("random", RatioGranularity.Token, "gspo", RatioWorth.Approximate)]
    public void Ratio_must_be_worth_what_reveal_rule_likelihood_and_correction_leave_of_it(string reveal, RatioGranularity unit, string correction, RatioWorth worth) =>
        Assert.Equal(worth, RatioExactness.Of(RevealRules.ByName(reveal), LikelihoodRules.ByName("trajectory"), unit, CorrectionRules.ByName(correction)));

    [Theory]
    // The ratio of a whole step or completion holds the factor; one of a token leaves it out.
    [InlineData("plackett-luce", "trajectory", RatioGranularity.Step, "behaviour-clip", RatioWorth.Exact)]
    [InlineData("plackett-luce-sampled", "trajectory", RatioGranularity.Step, "behaviour-clip", RatioWorth.Exact)]
    [InlineData("plackett-luce-sampled", "trajectory", RatioGranularity.SequenceSum, "behaviour-clip", RatioWorth.Exact)]
    [InlineData("plackett-luce-sampled", "trajectory", RatioGranularity.Token, "behaviour-clip", RatioWorth.Approximate)]
    [InlineData("plackett-luce-sampled", "trajectory", RatioGranularity.Sequence, "behaviour-clip", RatioWorth.Approximate)]
    [InlineData("low-confidence", "trajectory", RatioGranularity.Step, "behaviour-clip", RatioWorth.ExactOnPolicyOnly)]
    [InlineData("bernoulli", "trajectory", RatioGranularity.Step, "behaviour-clip", RatioWorth.Exact)]
    [InlineData("bernoulli", "trajectory", RatioGranularity.Token, "behaviour-clip", RatioWorth.Approximate)]
    [InlineData("bernoulli", "trajectory-two-stage", RatioGranularity.Token, "behaviour-clip", RatioWorth.Exact)]
    // Beside a ratio of the factor, one of a token is as good as without a factor, unless the draw depends on it.
    [InlineData("unmasking-policy", "trajectory-two-stage", RatioGranularity.Token, "behaviour-clip", RatioWorth.Exact)]
    [InlineData("plackett-luce-sampled", "trajectory-two-stage", RatioGranularity.Token, "behaviour-clip", RatioWorth.ExactOnPolicyOnly)]
    [InlineData("low-confidence", "trajectory-two-stage", RatioGranularity.Token, "behaviour-clip", RatioWorth.ExactOnPolicyOnly)]
    [InlineData("plackett-luce-sampled", "trajectory-two-stage", RatioGranularity.Token, "gspo", RatioWorth.Approximate)]
    [InlineData("plackett-luce-sampled", "trajectory-two-stage", RatioGranularity.Token, "none", RatioWorth.None)]
    [InlineData("random", "trajectory-two-stage", RatioGranularity.Token, "behaviour-clip", RatioWorth.Exact)]
    public void Ratio_of_a_drawn_order_must_be_worth_what_it_holds_of_the_draw(string reveal, string likelihood, RatioGranularity unit, string correction, RatioWorth worth) =>
        Assert.Equal(worth, RatioExactness.Of(RevealRules.ByName(reveal), LikelihoodRules.ByName(likelihood), unit, CorrectionRules.ByName(correction)));

    [Theory]
    [InlineData(Exactness.OnAndOffPolicy)]
    [InlineData(Exactness.OnPolicyOnly)]
    [InlineData(Exactness.Approximate)]
    public void Ratio_of_a_surrogate_must_be_approximate(Exactness exactness)
    {
        var surrogate = new LikelihoodRule("any", [RatioGranularity.Token], Recorded: false);
        Assert.Equal(RatioWorth.Approximate, RatioExactness.Of(new RevealRule("any", exactness), surrogate, RatioGranularity.Token, CorrectionRules.ByName("behaviour-clip")));
    }

    [Fact]
    public void Usual_epsilon_of_one_granularity_must_be_refused_for_the_other()
    {
        var (token, sequence) = (EpsilonRange.Of(RatioGranularity.Token), EpsilonRange.Of(RatioGranularity.Sequence));
        Assert.True(token.IsUsual(0.2) && sequence.IsUsual(3e-4));
        Assert.False(token.Allows(3e-4) || sequence.Allows(0.2));
        Assert.True(token.Allows(0.1) && !token.IsUsual(0.1));
    }

    [Fact]
    public void Methods_must_be_equal_when_name_and_values_are()
    {
        Assert.Equal(MethodSettings.Of("a", ("x", 1), ("y", 2)), MethodSettings.Of("a", ("y", 2), ("x", 1)));
        Assert.NotEqual(MethodSettings.Of("a", ("x", 1)), MethodSettings.Of("a", ("x", 2)));
        Assert.NotEqual(MethodSettings.Of("a", ("x", 1)), MethodSettings.Of("b", ("x", 1)));
    }
}
