using System.Globalization;

namespace Lateral.Core.Learning;

/// <summary>A gauge of how far the policy has moved from the one that sampled, beyond what published runs call healthy.</summary>
/// <param name="Metric">that is beyond its limit</param>
/// <param name="Message">what it says, and the setting to change</param>
public sealed record RatioAlert(string Metric, string Message);

/// <summary>The limits of asynchronous training's gauges.</summary>
public static class RatioAlerts
{
    private const string Remedy = "lower algorithm.lr or staleness.max-versions";

    public static IEnumerable<RatioAlert> Of(IReadOnlyDictionary<string, double> metrics)
    {
        foreach (var (metric, least, most, meaning) in new[]
        {
            ("ratio/mean", 0.5, 2.0, "the mean importance ratio should be near 1"),
            ("ratio/ess", 0.3, double.PositiveInfinity, "few rollouts make up most of the gradient"),
            ("ratio/std", double.NegativeInfinity, 1.0, "importance ratios scatter widely"),
            ("kl/behaviour", -0.1, 0.1, "the policy is far from the one that sampled"),
            ("ratio/chi2", double.NegativeInfinity, 1.0, "the policy is far from the one that sampled"),
        })
        {
            // What is no number has no side of a limit; a step without a finite gradient says so itself.
            if (!metrics.TryGetValue(metric, out var value) || !double.IsFinite(value) || (value >= least && value <= most)) continue;
            var limit = value < least ? $"below {least.ToString("0.##", CultureInfo.InvariantCulture)}" : $"above {most.ToString("0.##", CultureInfo.InvariantCulture)}";
            yield return new(metric, string.Create(CultureInfo.InvariantCulture, $"{metric} is {value:0.###}, {limit}: {meaning} - {Remedy}"));
        }
    }
}
