namespace Lateral.Core.Runs;

/// <summary>
/// What asynchrony is worth: the seconds of one step by cause, and the speed-up over a synchronous run on the same devices
/// and threads, which would generate (waiting for its slowest rollout), train and switch one after the other.
/// </summary>
/// <param name="Generate">g: sampler seconds per step, compacted (free of stragglers)</param>
/// <param name="Train">t: learner seconds per step</param>
/// <param name="Switch">c: policy swap seconds per step</param>
/// <param name="Straggler">phi: seconds of a wave that waits for its slowest rollout over those of its work in full batches, at least 1</param>
public readonly record struct Speedup(double Generate, double Train, double Switch, double Straggler)
{
    /// <summary>Seconds of a synchronous step.</summary>
    public double Synchronous => Generate * Straggler + Train + Switch;

    /// <summary>The limit: (g phi + t + c) / max(g, t) on dedicated devices, (g phi + t + c) / (g + t) where both share one.</summary>
    public double Predicted(bool dedicated) =>
        Ratio(Synchronous, dedicated ? Math.Max(Generate, Train) : Generate + Train);

    /// <param name="stepSeconds">wall time between two steps</param>
    public double Measured(double stepSeconds) => Ratio(Synchronous, stepSeconds);

    /// <summary>phi of one wave where a forward costs the same however few rows still run: every row waits for the one with the most denoising steps.</summary>
    public static double StragglerOf(IEnumerable<int> steps)
    {
        var (max, sum, count) = (0, 0L, 0);
        foreach (var one in steps) (max, sum, count) = (Math.Max(max, one), sum + one, count + 1);
        return sum == 0 ? 1 : (double)max * count / sum;
    }

    private static double Ratio(double numerator, double denominator) => denominator > 0 ? numerator / denominator : 1;
}
