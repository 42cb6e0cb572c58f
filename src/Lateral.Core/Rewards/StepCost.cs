using Lateral.Core.Rollouts;

namespace Lateral.Core.Rewards;

/// <summary>
/// A reward that pays for being fast: r (1 - w used / planned), used being the denoising steps that revealed something (after the step-aware reward of
/// SAPO, arXiv 2510.01544; dUltra has the count in its reward, too). A factor: what earns nothing earns nothing, however fast.
/// </summary>
/// <param name="Share">w, 0 .. 1: what a rollout loses that takes all its steps</param>
/// <param name="Planned">the most that a rollout may take</param>
public readonly record struct StepCost(double Share, int Planned)
{
    public double Factor(Trajectory trajectory) => Share == 0 ? 1 : 1 - (Share * trajectory.RevealStep.Where(step => step >= 0).Distinct().Count() / Planned);
}
