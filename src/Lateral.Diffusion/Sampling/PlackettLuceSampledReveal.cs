using Lateral.Core.Rollouts;
using Lateral.Diffusion.Likelihoods;

namespace Lateral.Diffusion.Sampling;

/// <summary>
/// MAPG's order (arXiv 2607.15200): every candidate samples a token, and K of them are drawn one after the other, each in proportion to the untempered probability of its token to the power
/// 1 / T (<see cref="PlackettLuce.Temperature"/>). The tokens that stay masked are part of the draw: the sampler records them, and <see cref="PlackettLuceSampled"/> has the factor.
/// </summary>
/// <param name="greedy">the K surest tokens: LLaDA's low-confidence remasking</param>
public sealed class PlackettLuceSampledReveal(bool greedy) : ISelectionPolicy
{
    public string Name => "plackett-luce-sampled";

    public Exactness Exactness => Exactness.OnAndOffPolicy;

    public Certainty Asks => Certainty.LogOfSampledToken;

    public SelectionLaw Law => SelectionLaw.PlackettLuceSampled;

    public bool Draws => !greedy;

    /// <returns>of the order only: the sampler adds the tokens that stay masked</returns>
    public float Select(in CandidateStatistics candidates, Span<int> chosen)
    {
        var scores = new double[candidates.Count];
        for (var c = 0; c < scores.Length; c++) scores[c] = candidates.Certainty[c] / PlackettLuce.Temperature;
        return PlackettLuceDraw.Take(scores, candidates.Uniforms, chosen);
    }
}
