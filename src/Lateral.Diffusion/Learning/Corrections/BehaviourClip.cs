using Lateral.Core.Learning;
using Lateral.Diffusion.Likelihoods;
using static TorchSharp.torch;

namespace Lateral.Diffusion.Learning.Corrections;

/// <param name="ClipEpsilon">e, in (0, 1)</param>
/// <param name="DualClip">c > 1 + e, or 0 = off</param>
public sealed record BehaviourClipSettings(double ClipEpsilon, double DualClip)
{
    public static BehaviourClipSettings From(MethodSettings method) => new(method["clip-epsilon"], method["dual-clip"]);
}

/// <summary>
/// PPO's clipped surrogate (Schulman et al., arXiv 1707.06347, equation 7) with the trust region around the policy that
/// sampled: loss = max(-A rho, -A clip(rho, 1 - e, 1 + e)), rho = pi / mu.
/// </summary>
/// <remarks>
/// Departures: (1) mu is the recorded behaviour policy, not a recomputed one, so staleness is corrected and bounded by one
/// ratio; (2) for A &lt; 0 and c > 0 the loss is at most -c A (dual clip, Ye et al., arXiv 1912.09729, equation 5): a stale
/// token that became likely cannot dominate a step; (3) log rho is limited to +-20 before exp, which float32 needs.
/// </remarks>
public sealed class BehaviourClip : ICorrection
{
    private readonly BehaviourClipSettings _settings;

    public BehaviourClip(BehaviourClipSettings settings)
    {
        var (epsilon, dual) = settings;
        if (epsilon is not (> 0 and < 1)) throw new ArgumentException($"clip-epsilon {epsilon} must lie between 0 and 1; .2 to .5 suits per-token ratios", nameof(settings));
        if (dual != 0 && !(dual > 1 + epsilon)) throw new ArgumentException($"dual-clip {dual} must be 0 (off) or above 1 + clip-epsilon = {1 + epsilon}", nameof(settings));
        _settings = settings;
    }

    public string Name => "behaviour-clip";

    public bool Separable => true;

    public CorrectedLoss Apply(Tensor logp_U, DeviceUnits units)
    {
        var clipped = Ratios.Clip(Ratios.Of(logp_U, units.Behaviour_U), units.Advantage_U, _settings.ClipEpsilon, _settings.ClipEpsilon);
        return Ratios.DualClip(clipped, units.Advantage_U, _settings.DualClip);
    }
}
