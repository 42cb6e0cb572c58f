using Lateral.Core.Learning;
using Lateral.Diffusion.Likelihoods;
using Lateral.Diffusion.Tensors;
using static TorchSharp.torch;

namespace Lateral.Diffusion.Learning.Corrections;

/// <summary>
/// The lower bound of BGPO (arXiv 2510.11683): for a good rollout the ratio is replaced by its tangent, 1 + log rho, which is linear in the
/// likelihood's samples; for a bad one it stays exp(log rho). Clipped and dual-clipped like PPO's.
/// </summary>
/// <remarks>The reference takes log(1 + log rho) on the way, which is no number below rho = 1/e; the tangent needs no logarithm.</remarks>
public sealed class LinearExp(BehaviourClipSettings settings) : ICorrection
{
    public string Name => "linear-exp";

    public bool Separable => true;

    public CorrectedLoss Apply(Tensor logp_U, DeviceUnits units)
    {
        var logRatio_U = logp_U.Minus(units.Behaviour_U);
        var ratio_U = where(Ratios.Positive(units.Advantage_U), logRatio_U.Plus(1), Ratios.Of(logp_U, units.Behaviour_U));
        return Ratios.DualClip(Ratios.Clip(ratio_U, units.Advantage_U, settings.ClipEpsilon, settings.ClipEpsilon), units.Advantage_U, settings.DualClip);
    }
}
