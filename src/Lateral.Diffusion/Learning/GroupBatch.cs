using System.Collections.Immutable;
using Lateral.Core.Learning;
using Lateral.Core.Rewards;
using Lateral.Core.Rollouts;

namespace Lateral.Diffusion.Learning;

/// <param name="Group">index of its group in the batch</param>
/// <param name="Shard">the gradient shard that the group belongs to</param>
public readonly record struct AdvantagedRollout(Trajectory Trajectory, double Reward, float Advantage, int Group, int Shard);

/// <summary>
/// A learner batch as the gradient needs it: a pure function of the batch and of the settings.
/// </summary>
/// <param name="Rollouts">every sibling of every group, in group and sibling order</param>
/// <param name="Tokens">revealed tokens of all rollouts</param>
/// <param name="ZeroVarianceGroups">groups whose rewards are all equal: advantage 0, counted like the others</param>
public sealed record GroupBatch(LearnerBatch Source, ImmutableArray<AdvantagedRollout> Rollouts, long Tokens, int ZeroVarianceGroups)
{
    /// <param name="shards">groups are dealt in order: group i of B belongs to shard i * shards / B</param>
    /// <exception cref="ArgumentException">a reward or a recorded log-prob is not a finite number</exception>
    public static GroupBatch From(LearnerBatch batch, IAdvantage advantage, int shards)
    {
        var rewards = batch.Groups.Select(group => group.Siblings.Select(sibling => sibling.Reward).ToArray()).ToList();
        foreach (var (g, group) in batch.Groups.Index()) RequireNumbers(batch.Step, group, rewards[g]);
        // Equal rewards carry no signal; rounding in a mean must not invent one.
        var constant = rewards.ConvertAll(group => group.Length == 0 || group.Max() == group.Min());
        var advantages = advantage.Compute(rewards);
        var rollouts = ImmutableArray.CreateBuilder<AdvantagedRollout>();
        foreach (var (g, group) in batch.Groups.Index())
        {
            var shard = (int)((long)g * shards / Math.Max(batch.PlannedGroups, batch.Groups.Length));
            for (var i = 0; i < group.Siblings.Length; i++)
                rollouts.Add(new(group.Siblings[i].Trajectory, rewards[g][i], constant[g] ? 0 : (float)advantages[g][i], g, shard));
        }

        return new(batch, rollouts.ToImmutable(), rollouts.Sum(rollout => (long)rollout.Trajectory.RevealedCount), constant.Count(one => one));
    }

    private static void RequireNumbers(int step, ScoredGroup group, double[] rewards)
    {
        if (Array.FindIndex(rewards, reward => !double.IsFinite(reward)) is var bad and >= 0)
            throw new ArgumentException($"step {step}: reward {rewards[bad]} of {group.Siblings[bad].Trajectory.Id} is not a finite number", nameof(group));
        // A ratio's limits would turn such a log-prob into a gradient of zero, unnoticed.
        if (group.Siblings.FirstOrDefault(sibling => sibling.Trajectory.TokenLogProbs.Any(logProb => !float.IsFinite(logProb))) is { } broken)
            throw new ArgumentException($"step {step}: {broken.Trajectory.Id} has a recorded log-prob that is not a finite number", nameof(group));
    }

    /// <summary>What the loss is divided by: the units of all rollouts, counted before anything is left out.</summary>
    public long Denominator(RatioGranularity unit) => Math.Max(1, unit switch
    {
        RatioGranularity.Step => Rollouts.Sum(rollout => (long)rollout.Trajectory.Steps),
        RatioGranularity.Sequence or RatioGranularity.SequenceSum => Rollouts.Length,
        _ => Tokens,
    });

    /// <summary>
    /// Indices of the rollouts to score: those with a gradient; all of them when none has one, so that the gauges of
    /// off-policyness never have a hole.
    /// </summary>
    public IReadOnlyList<int> Scored { get; } = ScoredOf(Rollouts);

    private static int[] ScoredOf(ImmutableArray<AdvantagedRollout> rollouts)
    {
        var all = Enumerable.Range(0, rollouts.Length);
        var signal = all.Where(i => rollouts[i].Advantage != 0).ToArray();
        return signal.Length > 0 ? signal : [.. all];
    }
}
