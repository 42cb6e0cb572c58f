using Lateral.Core.Learning;
using Lateral.Diffusion.Likelihoods;
using Lateral.Diffusion.Tensors;
using static TorchSharp.torch;

namespace Lateral.Diffusion.Learning.Corrections;

/// <param name="ClipEpsilon">e of the ratio to the proximal policy</param>
/// <param name="SecondMoment">tau, most that the mean of (log prox - log mu)^2 may be</param>
public sealed record M2poSettings(double ClipEpsilon, double SecondMoment)
{
    public static M2poSettings From(MethodSettings method) => new(method["clip-epsilon"], method["second-moment"]);
}

/// <summary>
/// M2PO (arXiv 2510.01161): of a stale batch the units that have moved most are dropped, only as many as it takes for the mean of
/// (log prox - log mu)^2 over the rest to be at most tau. What is kept is clipped around the behaviour policy.
/// </summary>
/// <remarks>The mean is that of a gradient shard, so what is dropped depends on <c>learner.shards</c>, and on no rank or micro-batch.</remarks>
public sealed class M2po(M2poSettings settings) : ICorrection
{
    public string Name => "m2po";

    public bool Separable => false;

    public CorrectedLoss Apply(Tensor logp_U, DeviceUnits units)
    {
        var square_U = units.Proximal(logp_U).Minus(units.Behaviour_U).Squared();
        var (sorted_U, order_U) = square_U.sort();
        var count_U = ones_like(square_U).cumsum(0);
        // The mean of the k smallest grows with k: those up to the last k that fits stay.
        var fits_U = sorted_U.cumsum(0).DividedBy(count_U).AtMost(settings.SecondMoment);
        var kept_U = zeros_like(fits_U).scatter(0, order_U, fits_U);
        return Ratios.Weighted(Ratios.Clip(Ratios.Of(logp_U, units.Behaviour_U), units.Advantage_U, settings.ClipEpsilon, settings.ClipEpsilon), kept_U);
    }
}
