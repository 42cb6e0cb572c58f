using System.Collections.Immutable;
using Lateral.Core.Learning;
using Lateral.Core.Rewards;
using Lateral.Core.Rollouts;

namespace Lateral.Tests.Diffusion;

/// <summary>Scored batches made by hand: trajectories are random but valid, log-probs are what is said.</summary>
internal static class Rollouts
{
    public static LearnerBatch Batch(int step, int groups, int siblings, int seed, Func<int, int, double>? reward = null, double behaviour = -1.2)
    {
        var random = new Random(seed);
        reward ??= (_, _) => random.Next(2);
        return new(1, step, groups, [.. Enumerable.Range(0, groups).Select(g =>
        {
            int[] prompt = [.. Enumerable.Range(0, 1 + g % 3).Select(_ => random.Next(10))];
            return new ScoredGroup(g, [.. Enumerable.Range(0, siblings).Select(i => new ScoredTrajectory(
                Make(new(g, i), prompt, random, behaviour), reward(g, i), ImmutableSortedDictionary<string, double>.Empty))]);
        })]);
    }

    /// <summary>Four tokens in two steps of two.</summary>
    public static Trajectory Make(RolloutId id, int[] prompt, Random random, double behaviour)
    {
        int[] order = [0, 0, 1, 1];
        random.Shuffle(order);
        return new(
            id, [.. prompt], [.. Enumerable.Range(0, 4).Select(_ => random.Next(10))], [.. order],
            [.. Enumerable.Range(0, 4).Select(_ => (float)(behaviour + .3 * random.NextDouble()))], [0, 0], 1.5f, [new(0, 0, "h")], "");
    }
}
