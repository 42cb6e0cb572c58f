using Lateral.Core.Learning;
using Lateral.Diffusion.Likelihoods;
using Lateral.Diffusion.Tensors;
using static TorchSharp.torch;

namespace Lateral.Diffusion.Learning.Corrections;

/// <param name="ClipEpsilon">e of the ratio to the proximal policy</param>
/// <param name="RatioMask">units whose proximal-to-behaviour ratio is larger are dropped</param>
public sealed record DecoupledSettings(double ClipEpsilon, double RatioMask)
{
    public static DecoupledSettings From(MethodSettings method) => new(method["clip-epsilon"], method["ratio-mask"]);
}

/// <summary>
/// Decoupled PPO (Hilton et al., arXiv 2110.00641; AReaL, arXiv 2505.24298): the trust region is around a proximal policy, and
/// what the behaviour policy differs from it is a weight: loss = rho' max(-A r, -A clip(r, 1 - e, 1 + e)), rho' = prox / mu, r = pi / prox.
/// </summary>
/// <param name="logLinear">
/// prox = between behaviour and current policy by age, log prox = log mu + a (log pi - log mu), a = age / (age + 1), without a gradient; else
/// the policy that the step began with: then r = 1 in a step's only update, and what is left is masked importance sampling
/// </param>
public sealed class Decoupled(DecoupledSettings settings, bool logLinear) : ICorrection
{
    public string Name => logLinear ? "decoupled-log-linear" : "decoupled";

    public bool Separable => true;

    public CorrectedLoss Apply(Tensor logp_U, DeviceUnits units)
    {
        var proximal_U = logLinear ? units.LogLinear(logp_U) : units.Proximal(logp_U);
        var ratio_U = Ratios.Of(proximal_U, units.Behaviour_U);
        var weight_U = where(ratio_U.AtMost(settings.RatioMask), ratio_U, zeros_like(ratio_U));
        return Ratios.Weighted(Ratios.Clip(Ratios.Of(logp_U, proximal_U), units.Advantage_U, settings.ClipEpsilon, settings.ClipEpsilon), weight_U);
    }
}
