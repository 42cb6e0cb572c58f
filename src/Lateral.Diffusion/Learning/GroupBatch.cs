using System.Collections.Immutable;
using Lateral.Core.Learning;
using Lateral.Core.Rewards;
using Lateral.Core.Rollouts;

namespace Lateral.Diffusion.Learning;

/// <param name="Group">index of its group in the batch</param>
/// <param name="Shard">the gradient shard that the group belongs to</param>
public readonly record struct AdvantagedRollout(Trajectory Trajectory, double Reward, RolloutAdvantage Advantage, int Group, int Shard);

/// <summary>
/// A learner batch as the gradient needs it: a pure function of the batch and of the settings.
/// </summary>
/// <param name="Rollouts">every sibling of every group that counts, in group and sibling order</param>
/// <param name="Tokens">revealed tokens of all rollouts</param>
/// <param name="ZeroVarianceGroups">groups whose rewards are all equal: they count like the others</param>
public sealed record GroupBatch(LearnerBatch Source, ImmutableArray<AdvantagedRollout> Rollouts, long Tokens, int ZeroVarianceGroups)
{
    /// <param name="shards">groups are dealt in order: group i of B belongs to shard i * shards / B</param>
    /// <exception cref="ArgumentException">a reward or a recorded log-prob is not a finite number</exception>
    public static GroupBatch From(LearnerBatch batch, IAdvantage advantage, int shards)
    {
        RequireNumbers(batch);
        var advantages = advantage.Of(batch.Groups);
        var (rollouts, constant) = (ImmutableArray.CreateBuilder<AdvantagedRollout>(), 0);
        foreach (var (g, group) in batch.Groups.Index())
        {
            var shard = (int)((long)g * shards / Math.Max(batch.PlannedGroups, batch.Groups.Length));
            var counted = group.Siblings.Zip(advantages[g]).Where(pair => pair.Second != RolloutAdvantage.LeftOut).ToArray();
            rollouts.AddRange(counted.Select(pair => new AdvantagedRollout(pair.First.Trajectory, pair.First.Reward, pair.Second, g, shard)));
            if (GroupAdvantage.IsConstant([.. counted.Select(pair => pair.First.Reward)])) constant++;
        }

        return new(batch, rollouts.ToImmutable(), rollouts.Sum(rollout => (long)rollout.Trajectory.RevealedCount), constant);
    }

    /// <exception cref="ArgumentException">a reward or a recorded log-prob is not a finite number</exception>
    public static void RequireNumbers(LearnerBatch batch)
    {
        foreach (var sibling in batch.Groups.SelectMany(group => group.Siblings))
        {
            if (!double.IsFinite(sibling.Reward)) throw new ArgumentException($"step {batch.Step}: reward {sibling.Reward} of {sibling.Trajectory.Id} is not a finite number", nameof(batch));
            // A ratio's limits would turn such a log-prob into a gradient of zero, unnoticed.
            if (sibling.Trajectory.TokenLogProbs.Any(logProb => !float.IsFinite(logProb)))
                throw new ArgumentException($"step {batch.Step}: {sibling.Trajectory.Id} has a recorded log-prob that is not a finite number", nameof(batch));
        }
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
        var signal = all.Where(i => rollouts[i].Advantage.HasSignal).ToArray();
        return signal.Length > 0 ? signal : [.. all];
    }
}
