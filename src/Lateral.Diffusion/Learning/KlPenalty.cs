using Lateral.Core.Learning;
using Lateral.Diffusion.Likelihoods;
using Lateral.Diffusion.Tensors;
using static TorchSharp.torch;

namespace Lateral.Diffusion.Learning;

/// <summary>
/// The penalty of each unit for being far from the anchor, with r = log pi - log anchor: k1 = r, k2 = r^2 / 2, k3 = exp(-r) - 1 + r
/// (Schulman, "Approximating KL divergence", 2020). U units.
/// </summary>
internal static class KlPenalty
{
    private const double LogRatioLimit = 20;

    /// <returns>[U] differentiable in <paramref name="logp_U"/></returns>
    public static Tensor Of(KlSettings settings, Tensor logp_U, DeviceUnits units)
    {
        var anchor_U = settings.Anchor == "old" ? units.Behaviour_U : units.Reference_U ?? throw new InvalidOperationException("a penalty on the distance to the reference needs its log-probs");
        var drift_U = logp_U.Minus(anchor_U.detach());
        return settings.Estimator switch
        {
            "k1" => drift_U,
            "k2" => drift_U.Squared().DividedBy(2),
            _ => drift_U.neg().Limited(-LogRatioLimit, LogRatioLimit).exp().Minus(1).Plus(drift_U),
        };
    }
}
