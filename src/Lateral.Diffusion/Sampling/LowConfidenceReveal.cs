using Lateral.Core.Rollouts;

namespace Lateral.Diffusion.Sampling;

/// <summary>
/// LLaDA's low-confidence remasking as it is published (Nie et al., arXiv 2502.09992): the K candidates whose sampled tokens are surest. What it reveals depends on
/// all draws, those of the tokens that stay masked included; <see cref="Likelihoods.LowConfidence"/> has its factor in closed form.
/// </summary>
public sealed class LowConfidenceReveal : ISelectionPolicy
{
    public string Name => "low-confidence";

    public Exactness Exactness => Exactness.OnPolicyOnly;

    public Certainty Asks => Certainty.SampledToken;

    public SelectionLaw Law => SelectionLaw.LowConfidence;

    public bool Draws => false;

    /// <returns>0: the factor needs the distributions, and the sampler asks them once more</returns>
    public float Select(in CandidateStatistics candidates, Span<int> chosen)
    {
        TopK.Indices(candidates.Certainty, chosen);
        return 0;
    }
}
