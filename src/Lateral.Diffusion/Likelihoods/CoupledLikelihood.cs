using Lateral.Core.Learning;
using Lateral.Core.Rollouts;

namespace Lateral.Diffusion.Likelihoods;

/// <summary>
/// coupled-GRPO (DiffuCoder, Gong et al., arXiv 2506.20639): every token is scored all masked, and once more under one of two complementary
/// masks: lp_i = (lp_i(all) + (lp_i(S) / t if i in S, else lp_i(S') / (1 - t))) / 2, S ~ Bernoulli(t).
/// </summary>
/// <remarks>The weights 1 / t and the all-masked half make it a downward-biased surrogate, as published.</remarks>
/// <param name="low">t is uniform in [low, high]</param>
public sealed class CoupledLikelihood(MethodSettings method, RatioGranularity unit, int? endToken, double low, double high) : Surrogate(method, unit, endToken)
{
    private protected override void Ask(MaskPlan plan, Trajectory trajectory)
    {
        var (t, half) = (low + ((high - low) * plan.Uniform(0)), PerToken(plan) / 2);
        var masked = plan.Each(t, 0);
        plan.Ask(plan.All(), UnitOf, half);
        plan.Ask(masked, UnitOf, half / t);
        plan.Ask(MaskPlan.Not(masked), UnitOf, half / (1 - t));
    }
}
