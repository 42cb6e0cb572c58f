using Lateral.Diffusion.Tensors;
using static TorchSharp.torch;

namespace Lateral.Diffusion.Likelihoods;

/// <summary>
/// The law of revealing every candidate by itself with probability u = sigmoid(s), given that at least one is (dUltra's planner): log P(set) = sum over the set of log u_i + sum over the others of
/// log(1 - u_j) - log(1 - product over all of (1 - u)), which is sum over the set of s_i - log(product over all of (1 + exp s) - 1).
/// </summary>
/// <remarks>
/// With a = sum of log(1 + exp s) the second term is a + log(1 - exp(-a)), in float64: neither end overflows, and of many improbable candidates no digit is lost. A single candidate has
/// probability 1, as it should.
/// </remarks>
public static class Bernoulli
{
    /// <summary>Above it log(1 + exp s) is s to the last digit of a float64, and exp s would overflow at last.</summary>
    private const double Linear = 40;

    /// <summary>What is added to every score: an indifferent planner then reveals one S-th of the candidates. With one step a block nothing is decided.</summary>
    public static double Offset(int stepsPerBlock) => -Math.Log(Math.Max(1, stepsPerBlock - 1));

    /// <param name="scores_DC">beyond a row's candidates anything</param>
    /// <param name="present_DC">bool: a candidate stands there</param>
    /// <param name="revealed_DC">1 where the candidate was revealed, 0 elsewhere</param>
    /// <returns>[D] natural log-probability of each set, float32, differentiable in the scores</returns>
    public static Tensor LogProbs(Tensor scores_DC, Tensor present_DC, Tensor revealed_DC)
    {
        var wide_DC = scores_DC.to_type(ScalarType.Float64);
        var all_D = logaddexp(zeros_like(wide_DC), wide_DC).Filled(present_DC.logical_not(), 0).sum(1);
        var some_D = all_D.Plus(all_D.neg().expm1().neg().log());
        return wide_DC.Times(revealed_DC.to_type(ScalarType.Float64)).sum(1).Minus(some_D).to_type(ScalarType.Float32);
    }

    /// <summary>The same on the host, of one set.</summary>
    /// <param name="scores">by candidate</param>
    public static double LogProb(ReadOnlySpan<double> scores, ReadOnlySpan<int> revealed)
    {
        var (all, sum) = (0.0, 0.0);
        foreach (var score in scores) all += Softplus(score);
        foreach (var candidate in revealed) sum += scores[candidate];
        return sum - LogSome(all);
    }

    /// <summary>
    /// Draws a set by one number a candidate: as long as none is revealed, a candidate is with u over the probability that any from it on would be, which is 1 at the last.
    /// </summary>
    /// <returns>indices of the revealed candidates, ascending, at least one</returns>
    public static List<int> Draw(ReadOnlySpan<double> scores, ReadOnlySpan<double> uniforms)
    {
        // Added from the right: a difference of sums would lose the improbable ones at the end.
        var (left, revealed) = (new double[scores.Length + 1], new List<int>());
        for (var c = scores.Length - 1; c >= 0; c--) left[c] = left[c + 1] + Softplus(scores[c]);
        for (var c = 0; c < scores.Length; c++)
        {
            var logU = scores[c] - Softplus(scores[c]);
            // log(1 - exp(-a)) is log(exp(a) - 1) - a.
            var log = revealed.Count > 0 ? logU : logU + left[c] - LogSome(left[c]);
            if (Math.Log(uniforms[c]) < log || (revealed.Count == 0 && c == scores.Length - 1)) revealed.Add(c);
        }

        return revealed;
    }

    /// <summary>log(1 + exp score) by Kahan's correction: the library's LogP1 is log(1 + x), which is 0 for all improbable candidates.</summary>
    private static double Softplus(double score)
    {
        if (score > Linear) return score;
        var x = Math.Exp(score);
        var rounded = 1 + x;
        return rounded == 1 ? x : Math.Log(rounded) * x / (rounded - 1);
    }

    /// <summary>log(exp(all) - 1), by the same correction.</summary>
    private static double LogSome(double all)
    {
        var rounded = Math.Exp(-all);
        var none = rounded == 1 ? all : (1 - rounded) * all / -Math.Log(rounded);
        return all + Math.Log(rounded == 0 ? 1 : none);
    }
}
