using Lateral.Core;
using Lateral.Core.Rollouts;

namespace Lateral.Diffusion.Likelihoods;

/// <summary>
/// The trajectory's likelihood, log pi(trajectory) = sum over steps t of sum over i in S_t of log pi(token_i | state_t):
/// which states have to be scored again. The selection factor is 0 or free of the weights for the policies that have it so.
/// </summary>
public static class TrajectoryReplay
{
    /// <summary>The states to score: all T, or K drawn uniformly without replacement, each weighted T / K so that the sum stays unbiased.</summary>
    /// <param name="rollout">index of the trajectory in its batch</param>
    /// <param name="subset">K; 0 = all</param>
    /// <param name="learnerStep">keys the draw, with prompt and sibling</param>
    /// <param name="firstPrompt">the training prompt of group 0</param>
    public static IEnumerable<StateView> Views(int rollout, Trajectory trajectory, int subset, CounterRandom random, int learnerStep, long firstPrompt = 0)
    {
        var steps = Enumerable.Range(0, trajectory.Steps);
        if (subset <= 0 || subset >= trajectory.Steps) return steps.Select(step => new StateView(rollout, trajectory, step, 1));
        var id = trajectory.Id;
        return steps
            .OrderBy(step => random.Bits(RandomStream.StepSubset, firstPrompt + id.Group, id.Sibling, learnerStep, step))
            .Take(subset)
            .Order()
            .Select(step => new StateView(rollout, trajectory, step, (float)trajectory.Steps / subset));
    }
}
