using Lateral.Core.Learning;
using Lateral.Diffusion.Likelihoods;
using Lateral.Diffusion.Tensors;
using static TorchSharp.torch;

namespace Lateral.Diffusion.Learning.Corrections;

/// <param name="ClipEpsilon">e of the ratio to the proximal policy</param>
/// <param name="RatioCap">C, most that the proximal-to-behaviour ratio weighs</param>
public sealed record TruncatedSamplingSettings(double ClipEpsilon, double RatioCap)
{
    public static TruncatedSamplingSettings From(MethodSettings method) => new(method["clip-epsilon"], method["ratio-cap"]);
}

/// <summary>
/// Truncated importance sampling (TIS; Ionides 2008, as used by verl and others for samplers that compute otherwise than the learner):
/// loss = min(rho', C) max(-A r, -A clip(r, 1 - e, 1 + e)). In a step's only update r = 1.
/// </summary>
public sealed class TruncatedSampling(TruncatedSamplingSettings settings) : ICorrection
{
    public string Name => "tis";

    public bool Separable => true;

    public CorrectedLoss Apply(Tensor logp_U, DeviceUnits units)
    {
        var proximal_U = units.Proximal(logp_U);
        var weight_U = Ratios.Of(proximal_U, units.Behaviour_U).Limited(0, settings.RatioCap);
        return Ratios.Weighted(Ratios.Clip(Ratios.Of(logp_U, proximal_U), units.Advantage_U, settings.ClipEpsilon, settings.ClipEpsilon), weight_U);
    }
}
