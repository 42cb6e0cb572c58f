using Lateral.Diffusion.Tensors;
using static TorchSharp.torch;

namespace Lateral.Diffusion.Decoding;

/// <summary>
/// Which masked positions a step reveals, by their confidences: tensors in, tensors out, so that no step has to wait for the device. Equal confidences go to the lower position. Shapes: B canvases, K
/// positions.
/// </summary>
internal static class Choices
{
    /// <summary>The quota of the surest.</summary>
    /// <param name="quota_B">how many of each canvas</param>
    public static Tensor Surest(Tensor confidence_BK, Tensor masked_BK, Tensor quota_B) => Rank(confidence_BK, masked_BK).lt(quota_B.unsqueeze(1)).logical_and(masked_BK);

    /// <summary>The surest, and all others that are at least as sure as a threshold (Fast-dLLM, Wu et al., arXiv 2505.22618).</summary>
    /// <param name="most">at most so many of the surest; null = any number</param>
    public static Tensor AtLeast(Tensor confidence_BK, Tensor masked_BK, double threshold, int? most = null)
    {
        var rank_BK = Rank(confidence_BK, masked_BK).to_type(ScalarType.Float32);
        var chosen_BK = rank_BK.Above(0.5).logical_not().logical_or(confidence_BK.Above(Math.BitDecrement((float)threshold))).logical_and(masked_BK);
        return most is { } limit ? chosen_BK.logical_and(rank_BK.Above(limit - 0.5).logical_not()) : chosen_BK;
    }

    /// <summary>Those above a threshold where they are at least the quota, and else the quota of the surest (SDAR's dynamic rule; D2F's with quotas of 1 and 0).</summary>
    public static Tensor AboveOrSurest(Tensor confidence_BK, Tensor masked_BK, double threshold, Tensor quota_B)
    {
        var above_BK = confidence_BK.Above((float)threshold).logical_and(masked_BK);
        return where(above_BK.sum(1, type: ScalarType.Int64).ge(quota_B).unsqueeze(1), above_BK, Surest(confidence_BK, masked_BK, quota_B));
    }

    /// <summary>The largest n of which the n-th surest is still as sure as n of them need: 1 - f / (n + 1) (dInfer's factor rule); at least one.</summary>
    public static Tensor ByFactor(Tensor confidence_BK, Tensor masked_BK, double factor)
    {
        var rank_BK = Rank(confidence_BK, masked_BK);
        // Position of rank j, counted from 0, needs 1 - f / (j + 2); the first that lacks it ends the prefix.
        var needed_BK = rank_BK.to_type(ScalarType.Float32).Plus(2.0).reciprocal().Times(-factor).Plus(1);
        var lacks_BK = confidence_BK.ge(needed_BK).logical_and(masked_BK).logical_not().logical_and(rank_BK.to_type(ScalarType.Float32).Above(0.5));
        var end_B1 = where(lacks_BK, rank_BK, zeros_like(rank_BK).Plus(confidence_BK.shape[1])).amin([1], keepdim: true);
        return rank_BK.lt(end_B1).logical_and(masked_BK);
    }

    /// <summary>Of every run of masked positions side by side the surest where it is surer than <paramref name="low"/>, all that are surer than a threshold, and the surest of all (dInfer's hierarchy rule).</summary>
    public static Tensor ByRun(Tensor confidence_BK, Tensor masked_BK, double threshold, double low)
    {
        var run_BK = masked_BK.logical_not().to_type(ScalarType.Int64).cumsum(1);
        var rank_BK = Rank(confidence_BK, masked_BK);
        // i is beaten by j in its run where j ranks before it.
        var beaten_BK = run_BK.unsqueeze(2).eq(run_BK.unsqueeze(1)).logical_and(masked_BK.unsqueeze(1)).logical_and(rank_BK.unsqueeze(1).lt(rank_BK.unsqueeze(2))).any(2);
        return beaten_BK.logical_not().logical_and(confidence_BK.Above((float)low)).logical_or(confidence_BK.Above((float)threshold)).logical_or(rank_BK.eq(zeros_like(rank_BK))).logical_and(masked_BK);
    }

    /// <summary>The positions of least entropy whose entropies together stay below a bound, at least one (the entropy-bounded sampler, Ben-Hamu et al., arXiv 2505.24857, as JetEngine counts).</summary>
    public static Tensor WithinEntropy(Tensor entropy_BK, Tensor masked_BK, double bound)
    {
        var rank_BK = Rank(entropy_BK.neg(), masked_BK);
        var (sorted_BK, _) = entropy_BK.Filled(masked_BK.logical_not(), double.PositiveInfinity).sort(1);
        // In the order of ranks, then back at the positions.
        var within_BK = sorted_BK.cumsum(1).Above(Math.BitDecrement((float)bound)).logical_not().gather(1, rank_BK);
        return within_BK.logical_or(rank_BK.eq(zeros_like(rank_BK))).logical_and(masked_BK);
    }

    /// <summary>Left to right, the first of the masked ones.</summary>
    public static Tensor Leftmost(Tensor masked_BK, long quota) =>
        masked_BK.to_type(ScalarType.Int64).cumsum(1).to_type(ScalarType.Float32).Plus(-quota - 0.5).Above(0).logical_not().logical_and(masked_BK);

    /// <summary>[B, K] int64: 0 for the surest masked position, and so on; revealed ones come last.</summary>
    private static Tensor Rank(Tensor confidence_BK, Tensor masked_BK)
    {
        var (_, order_BK) = confidence_BK.Filled(masked_BK.logical_not(), double.NegativeInfinity).sort(1, descending: true, stable: true);
        return order_BK.argsort(1);
    }
}
