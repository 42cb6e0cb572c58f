using Lateral.Diffusion.Likelihoods;
using Lateral.Diffusion.Tensors;
using static TorchSharp.torch;

namespace Lateral.Diffusion.Learning.Corrections;

/// <summary>What the corrections have in common. U units.</summary>
internal static class Ratios
{
    /// <summary>float32 needs it: exp(88) overflows.</summary>
    private const double LogRatioLimit = 20;

    /// <summary>[U] exp(numerator - denominator), the log ratio limited to +-20.</summary>
    public static Tensor Of(Tensor numerator_U, Tensor denominator_U) => numerator_U.Minus(denominator_U).Limited(-LogRatioLimit, LogRatioLimit).exp();

    /// <summary>PPO's clipped surrogate: max(-A r, -A clip(r, 1 - e, 1 + e)) (Schulman et al., arXiv 1707.06347, equation 7).</summary>
    public static CorrectedLoss Clip(Tensor ratio_U, Tensor advantage_U, double epsilonLow, double epsilonHigh)
    {
        var cost_U = advantage_U.neg();
        var plain_U = ratio_U.Times(cost_U);
        var loss_U = maximum(plain_U, ratio_U.Limited(1 - epsilonLow, 1 + epsilonHigh).Times(cost_U));
        return new(loss_U, loss_U.ne(plain_U));
    }

    /// <summary>At most c |A| where A &lt; 0: there a large ratio is a large loss that the clip does not bound (dual clip, Ye et al., arXiv 1912.09729, equation 5).</summary>
    public static CorrectedLoss DualClip(CorrectedLoss loss, Tensor advantage_U, double bound)
    {
        if (bound <= 0) return loss;
        var cost_U = advantage_U.neg();
        var bounded_U = minimum(loss.Loss_U, cost_U.Times(bound));
        var loss_U = where(Positive(cost_U), bounded_U, loss.Loss_U);
        return new(loss_U, loss.Clipped_U.logical_or(loss_U.ne(loss.Loss_U)));
    }

    /// <summary>The loss times a weight that carries no gradient; a weight of 0 counts as clipped.</summary>
    public static CorrectedLoss Weighted(CorrectedLoss loss, Tensor weight_U)
    {
        var fixed_U = weight_U.detach().to(loss.Loss_U.dtype);
        return new(loss.Loss_U.Times(fixed_U), loss.Clipped_U.logical_or(fixed_U.Above(0).logical_not()));
    }

    /// <summary>[U] bool: low &lt;= value &lt;= high</summary>
    public static Tensor Within(Tensor value_U, double low, double high) => value_U.Limited(low, high).eq(value_U);

    public static Tensor Positive(Tensor value_U) => value_U.Above(0);

    /// <summary>[U] the sum of a value over each unit's trajectory, given to every unit of it.</summary>
    public static Tensor SumOfSequence(Tensor value_U, DeviceUnits units) =>
        zeros([units.Sequences], value_U.dtype, value_U.device).PlusAt(units.Sequence_U, value_U).index_select(0, units.Sequence_U);

    /// <summary>[U] the mean of a value over each unit's trajectory, given to every unit of it.</summary>
    public static Tensor MeanOfSequence(Tensor value_U, DeviceUnits units) => SumOfSequence(value_U, units).DividedBy(SumOfSequence(ones_like(value_U), units));
}
