using Lateral.Core.Rollouts;
using Lateral.Diffusion.Likelihoods;

namespace Lateral.Diffusion.Sampling;

/// <summary>
/// Draws K candidates one after the other, each in proportion to its largest probability to the power 1 / T (<see cref="PlackettLuce.Temperature"/>): a smooth form of <c>max-prob</c>, whose order has
/// a likelihood, so that a policy can learn what to reveal when (after MAPG, arXiv 2607.15200, whose scores are those of sampled tokens).
/// </summary>
public sealed class PlackettLuceReveal : ISelectionPolicy
{
    public string Name => "plackett-luce";

    public Exactness Exactness => Exactness.OnAndOffPolicy;

    public bool Draws => true;

    public SelectionLaw Law => SelectionLaw.PlackettLuce;

    public float Select(in CandidateStatistics candidates, Span<int> chosen)
    {
        var scores = new double[candidates.Count];
        for (var c = 0; c < scores.Length; c++) scores[c] = Math.Log(candidates.Certainty[c]) / PlackettLuce.Temperature;
        return PlackettLuceDraw.Take(scores, candidates.Uniforms, chosen);
    }
}
