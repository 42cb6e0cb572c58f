using Lateral.Core.Learning;
using Lateral.Diffusion.Likelihoods;
using Lateral.Diffusion.Tensors;
using static TorchSharp.torch;

namespace Lateral.Diffusion.Learning.Corrections;

/// <param name="ClipEpsilon">e of the ratio to the proximal policy</param>
/// <param name="RatioLow">a unit whose proximal-to-behaviour ratio is below is dropped</param>
/// <param name="RatioHigh">and above</param>
public sealed record IcePopSettings(double ClipEpsilon, double RatioLow, double RatioHigh)
{
    public static IcePopSettings From(MethodSettings method) => new(method["clip-epsilon"], method["ratio-low"], method["ratio-high"]);
}

/// <summary>
/// IcePop (Ring-1T, arXiv 2510.18855): the proximal-to-behaviour ratio weighs a unit inside a band and drops it outside, on both sides:
/// loss = rho' 1[l &lt;= rho' &lt;= u] max(-A r, -A clip(r, 1 - e, 1 + e)).
/// </summary>
public sealed class IcePop(IcePopSettings settings) : ICorrection
{
    public string Name => "icepop";

    public bool Separable => true;

    public CorrectedLoss Apply(Tensor logp_U, DeviceUnits units)
    {
        var proximal_U = units.Proximal(logp_U);
        var ratio_U = Ratios.Of(proximal_U, units.Behaviour_U);
        var weight_U = ratio_U.Times(Ratios.Within(ratio_U, settings.RatioLow, settings.RatioHigh).to(ratio_U.dtype));
        return Ratios.Weighted(Ratios.Clip(Ratios.Of(logp_U, proximal_U), units.Advantage_U, settings.ClipEpsilon, settings.ClipEpsilon), weight_U);
    }
}
