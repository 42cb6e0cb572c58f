using Lateral.Core.Rollouts;
using Lateral.Diffusion.Likelihoods;

namespace Lateral.Diffusion.Sampling;

/// <summary>
/// Reveals what a learned planner decides for every candidate by itself (dUltra): with probability u = sigmoid(score - log(S - 1)), given that at least one is revealed. The scores follow from
/// the model's hidden states and never from the step's own tokens, so P(step) = P(set) * product over the set of P(token). What the last of a block's S steps finds is revealed whatever it thinks.
/// </summary>
/// <remarks>A planner that is still indifferent reveals 1 / S of a block, which is what fixed steps would.</remarks>
/// <param name="greedy">those that are likelier revealed than not, at least the likeliest</param>
public sealed class BernoulliReveal(bool greedy, int stepsPerBlock) : ISelectionPolicy
{
    public string Name => "bernoulli";

    public Exactness Exactness => Exactness.OnAndOffPolicy;

    public Certainty Asks => Certainty.UnmaskingScore;

    public SelectionLaw Law => SelectionLaw.Bernoulli;

    public bool Draws => !greedy;

    public bool Adaptive => true;

    public int Dares(in CandidateStatistics candidates) => Decide(candidates).Count;

    public float Select(in CandidateStatistics candidates, Span<int> chosen)
    {
        var decided = Decide(candidates);
        decided.CopyTo(chosen);
        return (float)Bernoulli.LogProb(Scores(candidates), chosen);
    }

    private List<int> Decide(in CandidateStatistics candidates)
    {
        var scores = Scores(candidates);
        if (!greedy) return Bernoulli.Draw(scores, candidates.Uniforms);
        var likely = Enumerable.Range(0, scores.Length).Where(c => scores[c] > 0).ToList();
        return likely.Count > 0 ? likely : [Array.IndexOf(scores, scores.Max())];
    }

    private double[] Scores(in CandidateStatistics candidates)
    {
        var scores = new double[candidates.Count];
        for (var c = 0; c < scores.Length; c++) scores[c] = candidates.Certainty[c] + Bernoulli.Offset(stepsPerBlock);
        return scores;
    }
}
