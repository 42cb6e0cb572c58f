using Lateral.Core.Rollouts;

namespace Lateral.Diffusion.Sampling;

/// <summary>
/// Reveals what a learned unmasking policy draws (DCoLT, arXiv 2505.10446): K candidates one after the other, each in proportion to exp(score). The scores follow from
/// the model's hidden states and never from the step's own tokens, so P(step) = P(draw) * product over the draw of P(token).
/// </summary>
/// <param name="greedy">the K largest scores, as the paper evaluates</param>
public sealed class UnmaskingPolicyReveal(bool greedy) : ISelectionPolicy
{
    public string Name => "unmasking-policy";

    public Exactness Exactness => Exactness.OnAndOffPolicy;

    public Certainty Asks => Certainty.UnmaskingScore;

    public SelectionLaw Law => SelectionLaw.UnmaskingPolicy;

    public bool Draws => !greedy;

    public float Select(in CandidateStatistics candidates, Span<int> chosen)
    {
        var scores = new double[candidates.Count];
        for (var c = 0; c < scores.Length; c++) scores[c] = candidates.Certainty[c];
        return PlackettLuceDraw.Take(scores, candidates.Uniforms, chosen);
    }
}
