using Lateral.Benchmarks.Measuring;
using static Lateral.Benchmarks.Measuring.Report;

namespace Lateral.Benchmarks.Runs;

/// <summary>Where the seconds of one run's steps went, as means over its steps.</summary>
/// <param name="Step">wall seconds between two steps</param>
/// <param name="Generate">g: sampler busy</param>
/// <param name="Train">t: learner busy, publication included</param>
/// <param name="Straggler">phi: denoising steps of a batch's longest rollout over their mean</param>
internal sealed record Arm(double Step, double Generate, double Train, double Straggler, double Denoising, double Staleness, double Predicted, double Measured)
{
    public static string[] Header { get; } = ["", "s a step", "sampling s", "training s", "phi", "denoising steps", "staleness"];

    public static Arm Of(IReadOnlyCollection<StepMetrics> steps)
    {
        double Mean(string metric) => steps.Average(step => step[metric]);
        return new(
            Mean("time/seconds"), Mean("time/generate"), Mean("time/train") + Mean("time/publish"), Mean("speedup/straggler"), Mean("denoise/steps_mean"),
            Mean("staleness/mean"), Mean("speedup/predicted"), Mean("speedup/measured"));
    }

    /// <summary>Medians over repetitions.</summary>
    public static string[] Row(string name, IReadOnlyCollection<Arm> arms)
    {
        string Median(Func<Arm, double> value, string format) => Number(Spread.Of(arms.Select(value)).Median, format);
        return
        [
            name, Median(arm => arm.Step, "0.000"), Median(arm => arm.Generate, "0.000"), Median(arm => arm.Train, "0.000"), Median(arm => arm.Straggler, "0.00"),
            Median(arm => arm.Denoising, "0.00"), Median(arm => arm.Staleness, "0.00"),
        ];
    }
}
