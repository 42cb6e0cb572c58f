using Lateral.Core.Learning;
using Lateral.Diffusion.Likelihoods;
using Lateral.Diffusion.Tensors;
using static TorchSharp.torch;

namespace Lateral.Diffusion.Learning.Corrections;

/// <param name="Clip">of the clipped surrogate that is masked</param>
/// <param name="DriftLimit">d, in nats per unit; 0 = nothing is dropped</param>
public sealed record OffPolicyMaskingSettings(BehaviourClipSettings Clip, double DriftLimit)
{
    public static OffPolicyMaskingSettings From(MethodSettings method) => new(BehaviourClipSettings.From(method), method["drift-limit"]);
}

/// <summary>
/// Off-policy sequence masking (DeepSeek-V3.2, arXiv 2512.02556): a bad completion (A &lt; 0) from which the policy has moved away by more than
/// d, as the mean of log mu - log pi over its units, is dropped; the rest is clipped around the behaviour policy.
/// </summary>
/// <remarks>Published limits span 1e-4 to .5, so the limit belongs to the run: set it from the largest <c>kl/behaviour</c> of a healthy one.</remarks>
public sealed class OffPolicyMasking(OffPolicyMaskingSettings settings) : ICorrection
{
    private readonly BehaviourClip _clip = new(settings.Clip);

    public string Name => "opsm";

    public bool Separable => false;

    public CorrectedLoss Apply(Tensor logp_U, DeviceUnits units)
    {
        var clipped = _clip.Apply(logp_U, units);
        if (settings.DriftLimit == 0) return clipped;
        var drift_U = Ratios.MeanOfSequence(units.Behaviour_U.Minus(logp_U.detach()), units);
        var dropped_U = Ratios.Positive(units.Advantage_U.neg()).logical_and(drift_U.Above(settings.DriftLimit));
        return Ratios.Weighted(clipped, dropped_U.logical_not());
    }
}
