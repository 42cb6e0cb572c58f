using Lateral.Core.Rollouts;

namespace Lateral.Diffusion.Sampling;

/// <summary>
/// Reveals the surest candidates as long as the sum of their entropies, less the largest of them, stays within a bound, at least its share: the bound limits how
/// much tokens revealed together can disagree (EB sampler, Ben-Hamu et al., arXiv 2505.24857). Deterministic given the state, log P = 0.
/// </summary>
/// <param name="bound">in nats</param>
public sealed class EntropyBoundedReveal(double bound) : ISelectionPolicy
{
    public string Name => "entropy-bounded";

    public Exactness Exactness => Exactness.OnPolicyOnly;

    public Certainty Asks => Certainty.NegativeEntropy;

    public bool Draws => false;

    public bool Adaptive => true;

    public int Dares(in CandidateStatistics candidates)
    {
        var entropies = new double[candidates.Count];
        for (var c = 0; c < entropies.Length; c++) entropies[c] = Math.Max(0, -candidates.Certainty[c]);
        Array.Sort(entropies);
        // Of the k surest the largest is the last, so what counts is the sum of those before it.
        var (sum, count) = (0.0, 0);
        while (count < entropies.Length && sum <= bound) sum += entropies[count++];
        return count;
    }

    public float Select(in CandidateStatistics candidates, Span<int> chosen)
    {
        TopK.Indices(candidates.Certainty, chosen);
        return 0;
    }
}
