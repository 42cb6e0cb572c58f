using Lateral.Core.Rollouts;

namespace Lateral.Diffusion.Sampling;

/// <summary>
/// Reveals every candidate whose largest probability is above a threshold, at least its share (Fast-dLLM, arXiv 2505.22618). By the distribution and not by the
/// sampled token, so that token log-probs are exact; deterministic given the state, log P = 0.
/// </summary>
public sealed class ThresholdReveal(double threshold) : ISelectionPolicy
{
    public string Name => "threshold";

    public Exactness Exactness => Exactness.OnPolicyOnly;

    public bool Draws => false;

    public bool Adaptive => true;

    public int Dares(in CandidateStatistics candidates)
    {
        var sure = 0;
        foreach (var probability in candidates.Certainty)
        {
            if (probability > threshold) sure++;
        }

        return sure;
    }

    public float Select(in CandidateStatistics candidates, Span<int> chosen)
    {
        TopK.Indices(candidates.Certainty, chosen);
        return 0;
    }
}
