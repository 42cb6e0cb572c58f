using Lateral.Core.Learning;
using Lateral.Core.Rollouts;

namespace Lateral.Core.Tests;

public sealed class RevealOrderTests
{
    private static Trajectory Revealed(params int[] steps) =>
        new(new(0, 0), [1], [.. new int[steps.Length]], [.. steps], [.. new float[steps.Length]], [.. new float[steps.Max() + 1]], 0, [new(0, 0, "h")], "");

    [Fact]
    public void Left_to_right_must_be_one_and_backwards_minus_one()
    {
        Assert.Equal(1, RevealOrder.LeftToRight(Revealed(0, 1, 2, 3)), 9);
        Assert.Equal(-1, RevealOrder.LeftToRight(Revealed(3, 2, 1, 0)), 9);
        Assert.Equal(0, RevealOrder.LeftToRight(Revealed(0, 0, 0)));
    }

    [Fact]
    public void Correlation_must_be_kendalls_with_ties_and_leave_out_what_was_never_revealed()
    {
        // Of six pairs three are in order, two are not, and one is a tie.
        Assert.Equal(1 / Math.Sqrt(5 * 6.0), RevealOrder.LeftToRight(Revealed(0, 2, 1, 1)), 9);
        Assert.Equal(RevealOrder.LeftToRight(Revealed(0, 2, 1, 1)), RevealOrder.LeftToRight(Revealed(0, 2, -1, 1, 1, -1)), 9);
    }

    [Fact]
    public void Commit_step_must_be_the_mean_step_as_a_share_of_the_last()
    {
        Assert.Equal(0.5, RevealOrder.CommitStep(Revealed(0, 1, 2)), 9);
        Assert.Equal((0 + 2 + 2) / 3.0 / 2, RevealOrder.CommitStep(Revealed(0, 2, 2, -1)), 9);
        Assert.Equal(0, RevealOrder.CommitStep(Revealed(0, 0)));
    }

    [Theory]
    [InlineData("ratio/mean", 0.4, "below 0.5")]
    [InlineData("ratio/mean", 2.5, "above 2")]
    [InlineData("ratio/ess", 0.2, "below 0.3")]
    [InlineData("ratio/std", 1.2, "above 1")]
    [InlineData("kl/behaviour", -0.2, "below -0.1")]
    [InlineData("kl/behaviour", 0.2, "above 0.1")]
    [InlineData("ratio/chi2", 3, "above 1")]
    public void Gauge_beyond_its_limit_must_be_told_with_the_setting_to_change(string metric, double value, string limit)
    {
        var alert = Assert.Single(RatioAlerts.Of(new Dictionary<string, double> { ["reward/mean"] = 9, [metric] = value }));
        Assert.Equal(metric, alert.Metric);
        Assert.Contains(limit, alert.Message, StringComparison.Ordinal);
        Assert.Contains("staleness.max-versions", alert.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Healthy_gauges_must_raise_no_alert() =>
        Assert.Empty(RatioAlerts.Of(new Dictionary<string, double> { ["ratio/mean"] = 1.01, ["ratio/ess"] = .9, ["ratio/std"] = .2, ["kl/behaviour"] = .01, ["ratio/chi2"] = .1 }));
}
