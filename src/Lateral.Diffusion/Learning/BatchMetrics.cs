using Lateral.Core.Learning;
using Lateral.Core.Rollouts;

namespace Lateral.Diffusion.Learning;

/// <summary>What a batch says about itself before any gradient.</summary>
public static class BatchMetrics
{
    /// <summary>
    /// reward/* over rollouts (frac_zero_std over groups), entropy/reveal per revealed token in nats, denoise/* per rollout,
    /// staleness/* = version at consumption minus the oldest behaviour version (span = newest minus oldest of a rollout), reveal/left_to_right =
    /// mean over rollouts of the rank correlation of position and reveal step (1 = an autoregressive order, -1 = backwards, 0 = none),
    /// reveal/commit_step = mean over tokens of the step that revealed them, 0 the first and 1 the last; where rollouts were hinted, hints/groups = groups that learn from some, as a
    /// share of all. Empty for a batch whose groups were all quarantined.
    /// </summary>
    public static IEnumerable<KeyValuePair<string, double>> Of(GroupBatch batch)
    {
        yield return new("tokens/trained", batch.Tokens);
        if (batch.Rollouts.IsEmpty) yield break;
        var rewards = batch.Rollouts.Select(rollout => rollout.Reward).ToArray();
        yield return new("reward/mean", Statistics.Mean(rewards));
        yield return new("reward/std", Statistics.StandardDeviation(rewards));
        yield return new("reward/frac_zero_std", (double)batch.ZeroVarianceGroups / batch.Source.Groups.Length);

        var trajectories = batch.Rollouts.Select(rollout => rollout.Trajectory).ToArray();
        var steps = trajectories.Sum(trajectory => (double)trajectory.Steps);
        yield return new("entropy/reveal", trajectories.Sum(trajectory => trajectory.RevealEntropy * (double)trajectory.RevealedCount) / Math.Max(1, batch.Tokens));
        yield return new("denoise/steps_mean", steps / trajectories.Length);
        yield return new("denoise/tokens_per_step", batch.Tokens / Math.Max(1, steps));

        yield return new("reveal/left_to_right", trajectories.Average(RevealOrder.LeftToRight));
        yield return new("reveal/commit_step", trajectories.Average(RevealOrder.CommitStep));

        if (batch.Source.Groups.Any(group => group.Siblings.Any(sibling => !sibling.Trajectory.Given.IsEmpty)))
            yield return new("hints/groups", (double)batch.Rollouts.Where(rollout => !rollout.Trajectory.Given.IsEmpty).Select(rollout => rollout.Group).Distinct().Count() / batch.Source.Groups.Length);

        var staleness = trajectories.Select(trajectory => (double)(batch.Source.Step - 1 - trajectory.OldestVersion)).ToArray();
        yield return new("staleness/mean", Statistics.Mean(staleness));
        yield return new("staleness/max", staleness.Max());
        yield return new("staleness/span", trajectories.Average(trajectory => (double)trajectory.NewestVersion - trajectory.OldestVersion));
    }
}
