using Lateral.Core.Rollouts;

namespace Lateral.Diffusion.Sampling;

/// <summary>
/// Reveals the K candidates whose token distribution is surest: by its largest probability, its entropy or the margin between its two largest
/// probabilities (the orders of Dream, arXiv 2508.15487). Deterministic given the state, log P = 0. At temperature 0 the first is LLaDA's low-confidence
/// remasking; above, it ranks by the distribution and not by the sampled token, which keeps the recorded token log-probs exact.
/// </summary>
public sealed class SurestReveal(string name, Certainty certainty) : ISelectionPolicy
{
    public string Name => name;

    public Exactness Exactness => Exactness.OnPolicyOnly;

    public Certainty Asks => certainty;

    public bool Draws => false;

    public float Select(in CandidateStatistics candidates, Span<int> chosen)
    {
        TopK.Indices(candidates.Certainty, chosen);
        return 0;
    }
}
