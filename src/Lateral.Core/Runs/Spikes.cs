using System.Collections.Immutable;
using System.Globalization;
using Lateral.Core.Learning;

namespace Lateral.Core.Runs;

/// <summary>What is done when a step leaves the run's course.</summary>
public enum SpikeAnswer
{
    /// <summary>Say so.</summary>
    Continue,

    /// <summary>Nothing goes on before a person has seen it.</summary>
    Pause,

    /// <summary>The weights go back to the last checkpoint before the step; the groups since then are quarantined.</summary>
    RollBack,
}

/// <param name="ZScore">standard deviations above the mean of the last steps; 0 = nothing is watched</param>
/// <param name="Window">steps compared with; nothing is judged before there are so many</param>
public sealed record SpikeSettings(SpikeAnswer Answer, double ZScore, int Window)
{
    public static SpikeSettings Off { get; } = new(SpikeAnswer.Continue, 0, 0);
}

/// <summary>What a step said of its own health, in the order of <see cref="Spikes.Watched"/>; NaN where it did not.</summary>
public sealed record StepGauges(int Step, ImmutableArray<double> Values)
{
    public static StepGauges Of(StepReport report) => new(report.Step, [.. Spikes.Watched.Select(metric => report.Metrics.GetValueOrDefault(metric, double.NaN))]);
}

/// <summary>
/// Steps that leave the run's course: a watched metric more than so many standard deviations above its mean over the last steps.
/// Below is no harm. A policy that collapses shows first in how far it has moved from the one that sampled.
/// </summary>
public static class Spikes
{
    /// <summary>A quiet run's deviation is no measure: at least so much of the mean, and so much at all.</summary>
    private const double LeastRelative = 0.05, LeastAbsolute = 1e-3;

    public static ImmutableArray<string> Watched { get; } = ["optim/loss", "optim/grad_norm", "kl/behaviour_k3"];

    /// <param name="course">oldest first; the last is judged by those before it</param>
    /// <returns>what is wrong, in words; null = nothing</returns>
    public static string? Find(IReadOnlyList<StepGauges> course, SpikeSettings settings)
    {
        if (settings.ZScore == 0 || course.Count <= settings.Window) return null;
        for (var metric = 0; metric < Watched.Length; metric++)
        {
            double[] before = [.. course.SkipLast(1).TakeLast(settings.Window).Select(step => step.Values[metric]).Where(double.IsFinite)];
            var value = course[^1].Values[metric];
            if (before.Length < settings.Window || !double.IsFinite(value)) continue;
            var mean = Statistics.Mean(before);
            var deviation = Math.Max(Statistics.StandardDeviation(before), Math.Max(LeastAbsolute, LeastRelative * Math.Abs(mean)));
            if ((value - mean) / deviation is var score && score > settings.ZScore)
            {
                return string.Create(
                    CultureInfo.InvariantCulture,
                    $"step {course[^1].Step}: {Watched[metric]} is {value:G3}, {score:0.0} standard deviations above the {mean:G3} of the last {settings.Window} steps");
            }
        }

        return null;
    }
}
