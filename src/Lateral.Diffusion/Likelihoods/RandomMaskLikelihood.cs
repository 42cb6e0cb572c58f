using Lateral.Core.Learning;
using Lateral.Core.Rollouts;

namespace Lateral.Diffusion.Likelihoods;

/// <summary>
/// UniGRPO (MMaDA, Yang et al., arXiv 2505.15809): the completion is masked at one random ratio, and its value is the mean log-prob of the
/// masked tokens.
/// </summary>
/// <param name="low">the ratio is uniform in [low, high]</param>
public sealed class RandomMaskLikelihood(MethodSettings method, RatioGranularity unit, int? endToken, double low, double high) : Surrogate(method, unit, endToken)
{
    public override bool Separable => true;

    private protected override void Ask(MaskPlan plan, Trajectory trajectory)
    {
        // An exact count, so that no mask is empty.
        var count = Math.Max(1, (int)Math.Round((low + ((high - low) * plan.Uniform(0))) * plan.Length));
        plan.Ask(plan.Exactly(count, 0), UnitOf, 1.0 / count);
    }
}
