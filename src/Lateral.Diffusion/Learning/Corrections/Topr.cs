using Lateral.Diffusion.Likelihoods;
using Lateral.Diffusion.Tensors;
using static TorchSharp.torch;

namespace Lateral.Diffusion.Learning.Corrections;

/// <summary>
/// Tapered off-policy REINFORCE (Le Roux et al., arXiv 2503.14286): good rollouts count in full, bad ones at most in full and less the
/// further the policy has moved away from them: loss = -A w log pi, w = 1 where A > 0, else sg[min(rho, 1)].
/// </summary>
public sealed class Topr : ICorrection
{
    public string Name => "topr";

    public bool Separable => true;

    public CorrectedLoss Apply(Tensor logp_U, DeviceUnits units)
    {
        var ratio_U = Ratios.Of(logp_U.detach(), units.Behaviour_U);
        var weight_U = where(Ratios.Positive(units.Advantage_U), ones_like(ratio_U), ratio_U.Limited(0, 1));
        return new(weight_U.Times(units.Advantage_U).Times(logp_U).neg(), zeros_like(logp_U, ScalarType.Bool));
    }
}
