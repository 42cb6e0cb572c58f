using Lateral.Diffusion.Tensors;
using static TorchSharp.torch;

namespace Lateral.Diffusion.Learning.Corrections;

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
    private const double LogRatioLimit = 20;

    private readonly double _epsilon, _dualClip;

    /// <param name="epsilon">e, in (0, 1)</param>
    /// <param name="dualClip">c > 1 + e, or 0 = off</param>
    public BehaviourClip(double epsilon, double dualClip)
    {
        if (epsilon is not (> 0 and < 1)) throw new ArgumentException($"clip-epsilon {epsilon} must lie between 0 and 1; .2 to .5 suits per-token ratios", nameof(epsilon));
        if (dualClip != 0 && !(dualClip > 1 + epsilon)) throw new ArgumentException($"dual-clip {dualClip} must be 0 (off) or above 1 + clip-epsilon = {1 + epsilon}", nameof(dualClip));
        (_epsilon, _dualClip) = (epsilon, dualClip);
    }

    public string Name => "behaviour-clip";

    public bool Separable => true;

    public CorrectedLoss Apply(Tensor logp_N, Tensor behaviour_N, Tensor advantage_N)
    {
        var ratio_N = logp_N.Minus(behaviour_N).Limited(-LogRatioLimit, LogRatioLimit).exp();
        var cost_N = advantage_N.neg();
        var plain_N = ratio_N.Times(cost_N);
        var loss_N = maximum(plain_N, ratio_N.Limited(1 - _epsilon, 1 + _epsilon).Times(cost_N));
        // Only for A < 0: there a large ratio is a large loss that the clip above does not bound.
        if (_dualClip > 0)
        {
            var bounded_N = minimum(loss_N, cost_N.Times(_dualClip));
            loss_N = where(advantage_N.lt(zeros_like(advantage_N)), bounded_N, loss_N);
        }

        return new(loss_N, loss_N.ne(plain_N));
    }
}
