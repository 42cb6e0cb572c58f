namespace Lateral.Diffusion.RewardModels;

/// <summary>How well rewards agree with preferences.</summary>
/// <param name="Accuracy">share of pairs whose chosen text has the greater reward; equal rewards count one half</param>
/// <param name="Loss">mean of -log sigmoid(r_c - r_r - m)</param>
/// <param name="Mean">of all rewards, chosen and rejected, and their <paramref name="Deviation"/></param>
public sealed record PreferenceFit(int Pairs, double Accuracy, double Loss, double Mean, double Deviation)
{
    /// <param name="chosen">[P], and <paramref name="rejected"/> and <paramref name="margins"/> alike</param>
    public static PreferenceFit Of(IReadOnlyList<float> chosen, IReadOnlyList<float> rejected, IReadOnlyList<double> margins)
    {
        var differences = chosen.Zip(rejected, (c, r) => (double)c - r).ToArray();
        double[] all = [.. chosen.Concat(rejected).Select(reward => (double)reward)];
        var mean = all.Average();
        return new(
            differences.Length, Accurate(chosen, rejected),
            // log(1 + e^-x) from the side on which nothing overflows.
            differences.Zip(margins, (d, m) => d - m).Average(x => Math.Log(1 + Math.Exp(-Math.Abs(x))) + Math.Max(0, -x)),
            mean, Math.Sqrt(all.Average(reward => (reward - mean) * (reward - mean))));
    }

    public static double Accurate(IReadOnlyList<float> chosen, IReadOnlyList<float> rejected) => chosen.Zip(rejected, (c, r) => c > r ? 1 : c == r ? .5 : 0).Average();
}
