using Lateral.Core.Rollouts;

namespace Lateral.Diffusion.Sampling;

/// <summary>
/// Reveals a uniformly random K-subset: log P = -ln C(n, K), free of the weights, so trajectories are exact under any of
/// them (LLaDA, arXiv 2502.09992, random remasking; AGRPO trains with it).
/// </summary>
/// <remarks>The K candidates with the largest of n independent uniforms are such a subset.</remarks>
public sealed class RandomReveal : ISelectionPolicy
{
    public string Name => "random";

    public Exactness Exactness => Exactness.OnAndOffPolicy;

    public bool Draws => true;

    public float Select(in CandidateStatistics candidates, Span<int> chosen)
    {
        TopK.Indices(candidates.Uniforms, chosen);
        return (float)-LogBinomial(candidates.Count, chosen.Length);
    }

    /// <summary>ln C(n, k), as a sum of logarithms: exact to rounding for any canvas length.</summary>
    internal static double LogBinomial(int n, int k)
    {
        var log = 0.0;
        for (var i = 1; i <= k; i++) log += Math.Log((double)(n - k + i) / i);
        return log;
    }
}
