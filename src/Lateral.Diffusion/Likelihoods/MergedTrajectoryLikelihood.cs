using Lateral.Core.Learning;
using Lateral.Core.Rollouts;

namespace Lateral.Diffusion.Likelihoods;

/// <summary>
/// The trajectory with denoising steps merged (TraceRL's shrinkage, Wang et al., arXiv 2509.06949; d2's StepMerge, arXiv 2509.21474): the state before
/// the first of every s steps scores what all s of them revealed. T / s forwards, biased, because tokens of one stretch do not see each other.
/// </summary>
/// <param name="merge">s, steps that become one</param>
public sealed class MergedTrajectoryLikelihood(MethodSettings method, RatioGranularity unit, int? endToken, int merge) : Surrogate(method, unit, endToken)
{
    public override bool Separable => Unit == RatioGranularity.Token;

    private protected override void Ask(MaskPlan plan, Trajectory trajectory)
    {
        for (var first = 0; first < trajectory.Steps; first += merge)
        {
            var last = first + merge;
            plan.Ask(StateView.Before(first, trajectory, []).Hidden, position => trajectory.RevealStep[position] >= first && trajectory.RevealStep[position] < last, UnitOf, PerToken(plan));
        }
    }
}
