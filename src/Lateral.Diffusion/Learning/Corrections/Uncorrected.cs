using Lateral.Diffusion.Likelihoods;
using Lateral.Diffusion.Tensors;
using static TorchSharp.torch;

namespace Lateral.Diffusion.Learning.Corrections;

/// <summary>
/// REINFORCE as if the current policy had sampled: loss = -A log pi. Right on-policy, biased and unbounded off it; for
/// ablation.
/// </summary>
public sealed class Uncorrected : ICorrection
{
    public string Name => "none";

    public bool Separable => true;

    public CorrectedLoss Apply(Tensor logp_U, DeviceUnits units) => new(logp_U.Times(units.Advantage_U).neg(), zeros_like(logp_U, ScalarType.Bool));
}
