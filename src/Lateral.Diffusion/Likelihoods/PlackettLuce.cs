using Lateral.Diffusion.Tensors;
using static TorchSharp.torch;

namespace Lateral.Diffusion.Likelihoods;

/// <summary>
/// The law of drawing K of C candidates one after the other without replacement, each in proportion to exp(score) among those left:
/// log P(order) = sum over k of [s_k - log sum over j not drawn before k of exp(s_j)] (Plackett 1975, Luce 1959; DCoLT's unmasking policy, arXiv 2505.10446).
/// </summary>
/// <remarks>By logsumexp: the reference's plain exponentials overflow float32 above scores of 88.</remarks>
public static class PlackettLuce
{
    /// <summary>A candidate's score is the log of its largest probability over this (MAPG's, arXiv 2607.15200).</summary>
    public const double Temperature = 0.5;

    /// <summary>Stands for a candidate that is not there: its exponential is exactly 0 and its gradient finite.</summary>
    private const double Absent = -1e30;

    /// <param name="scores_SC">scores in the order of the draw, those that were not drawn behind, in any order; beyond a row's candidates anything</param>
    /// <param name="present_SC">bool: a candidate stands there</param>
    /// <param name="drawn_SC">1 where the candidate was drawn, 0 elsewhere</param>
    /// <returns>[S] natural log-probability of each draw, differentiable in the scores</returns>
    public static Tensor LogProbs(Tensor scores_SC, Tensor present_SC, Tensor drawn_SC)
    {
        var kept_SC = scores_SC.Filled(present_SC.logical_not(), Absent);
        // What is left at k is everything from k on: a cumulative logsumexp from the right.
        var left_SC = kept_SC.flip(1).logcumsumexp(1).flip(1);
        return kept_SC.Minus(left_SC).Times(drawn_SC).sum(1);
    }

    /// <summary>The same on the host, of one draw.</summary>
    /// <param name="scores">by candidate</param>
    /// <param name="drawn">candidates in the order of the draw</param>
    public static double LogProb(ReadOnlySpan<double> scores, ReadOnlySpan<int> drawn)
    {
        var (left, logProb) = (scores.ToArray(), 0.0);
        foreach (var candidate in drawn)
        {
            var most = left.Max();
            logProb += left[candidate] - most - Math.Log(left.Sum(score => Math.Exp(score - most)));
            left[candidate] = double.NegativeInfinity;
        }

        return logProb;
    }
}
