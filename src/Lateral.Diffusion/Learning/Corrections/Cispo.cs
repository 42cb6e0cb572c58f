using Lateral.Core.Learning;
using Lateral.Diffusion.Likelihoods;
using Lateral.Diffusion.Tensors;
using static TorchSharp.torch;

namespace Lateral.Diffusion.Learning.Corrections;

/// <param name="ClipLow">the ratio weighs at least 1 - this; 1 = no lower bound</param>
/// <param name="ClipHigh">and at most 1 + this</param>
public sealed record CispoSettings(double ClipLow, double ClipHigh)
{
    public static CispoSettings From(MethodSettings method) => new(method["clip-low"], method["clip-high"]);
}

/// <summary>
/// CISPO (MiniMax-M1, arXiv 2506.13585): the ratio is a weight without a gradient and is clipped, the token's gradient never is:
/// loss = -sg[clip(rho, 1 - el, 1 + eh)] A log pi.
/// </summary>
public sealed class Cispo(CispoSettings settings) : ICorrection
{
    public string Name => "cispo";

    public bool Separable => true;

    public CorrectedLoss Apply(Tensor logp_U, DeviceUnits units)
    {
        var ratio_U = Ratios.Of(logp_U.detach(), units.Behaviour_U);
        var weight_U = ratio_U.Limited(1 - settings.ClipLow, 1 + settings.ClipHigh);
        return new(weight_U.Times(units.Advantage_U).Times(logp_U).neg(), zeros_like(logp_U, ScalarType.Bool));
    }
}
