using Lateral.Core.Learning;
using Lateral.Diffusion.Likelihoods;
using Lateral.Diffusion.Tensors;
using static TorchSharp.torch;

namespace Lateral.Diffusion.Learning.Corrections;

/// <param name="ClipEpsilon">e of a completion's ratio, 1e-4 to 1e-3</param>
public sealed record GspoSettings(double ClipEpsilon)
{
    public static GspoSettings From(MethodSettings method) => new(method["clip-epsilon"]);
}

/// <summary>
/// GSPO (Zheng et al., arXiv 2507.18071, equations 5 and 7): one ratio a completion, the geometric mean of its units' ratios, clipped as one:
/// loss = max(-A r, -A clip(r, 1 - e, 1 + e)), r = exp(mean(log pi - log mu)).
/// </summary>
public sealed class Gspo(GspoSettings settings) : ICorrection
{
    public string Name => "gspo";

    public bool Separable => false;

    public CorrectedLoss Apply(Tensor logp_U, DeviceUnits units)
    {
        var mean_U = Ratios.MeanOfSequence(logp_U.Minus(units.Behaviour_U), units);
        return Ratios.Clip(Ratios.Of(mean_U, zeros_like(mean_U)), units.Advantage_U, settings.ClipEpsilon, settings.ClipEpsilon);
    }
}
