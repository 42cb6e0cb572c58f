using Lateral.Core.Learning;
using Lateral.Core.Rollouts;

namespace Lateral.Diffusion.Likelihoods;

/// <summary>
/// The mean-field estimate of diffu-GRPO (d1, Zhao et al., arXiv 2504.12216, section 3): the whole completion is masked and each token scored from one
/// forward, with part of the prompt masked, too. Biased: it knows nothing of the completion's own tokens.
/// </summary>
/// <param name="promptMask">probability that a prompt token is masked</param>
public sealed class OneStepLikelihood(MethodSettings method, RatioGranularity unit, int? endToken, double promptMask) : Surrogate(method, unit, endToken)
{
    public override bool Separable => true;

    private protected override void Ask(MaskPlan plan, Trajectory trajectory) => plan.Ask(plan.All(), UnitOf, PerToken(plan), plan.Prompt(promptMask, 0));
}
