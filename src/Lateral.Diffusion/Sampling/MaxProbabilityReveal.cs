using Lateral.Core.Rollouts;

namespace Lateral.Diffusion.Sampling;

/// <summary>
/// Reveals the K candidates whose most probable token is surest: deterministic given the state, log P = 0. At temperature
/// 0 it is LLaDA's low-confidence remasking; above, it ranks by the distribution and not by the sampled token, which keeps
/// the recorded token log-probs exact.
/// </summary>
public sealed class MaxProbabilityReveal : ISelectionPolicy
{
    public string Name => "max-prob";

    public Exactness Exactness => Exactness.OnPolicyOnly;

    public bool Draws => false;

    public float Select(in CandidateStatistics candidates, Span<int> chosen)
    {
        TopK.Indices(candidates.MaxProbability, chosen);
        return 0;
    }
}
