using Lateral.Core.Rewards;

namespace Lateral.Core.Learning;

/// <summary>
/// Rollouts that were given parts of an answer count where nobody else has found one (IGPO, Zhao et al., arXiv 2509.10396): of a group whose other rollouts all got the same, up to
/// <see cref="MostReplaced"/> of these are replaced by hinted ones that got more; of every other group the hinted ones are left out.
/// </summary>
/// <remarks>
/// Departures: hinted rollouts are sampled with the group and not after it, so that no group has to wait for a second round; and what was given is not trained on at all, where the published
/// method trains on the fifth of it that the model is least sure of.
/// </remarks>
/// <param name="inner">what the rest of the group gets</param>
public sealed class HintedGroups(IAdvantage inner) : IAdvantage
{
    /// <summary>As published.</summary>
    public const int MostReplaced = 4;

    public RolloutAdvantage[][] Of(IReadOnlyList<ScoredGroup> groups)
    {
        var kept = groups.Select(Kept).ToArray();
        var advantages = inner.Of([.. groups.Zip(kept, (group, own) => group with { Siblings = [.. own.Select(i => group.Siblings[i])] })]);
        return [.. groups.Select((group, g) => Enumerable.Range(0, group.Siblings.Length).Select(i => Array.IndexOf(kept[g], i) is >= 0 and var at ? advantages[g][at] : RolloutAdvantage.LeftOut).ToArray())];
    }

    /// <summary>Indices of the siblings that count, ascending.</summary>
    private static int[] Kept(ScoredGroup group)
    {
        var siblings = group.Siblings;
        var (hinted, free) = (Indices(given: true), Indices(given: false));
        // A group that was given something throughout has nothing to compare it with.
        if (hinted.Length == 0 || free.Length == 0 || !GroupAdvantage.IsConstant([.. free.Select(i => siblings[i].Reward)])) return free;
        int[] better = [.. hinted.Where(i => siblings[i].Reward > siblings[free[0]].Reward).OrderByDescending(i => siblings[i].Reward).Take(Math.Min(MostReplaced, free.Length - 1))];
        return [.. free.Take(free.Length - better.Length).Concat(better).Order()];

        int[] Indices(bool given) => [.. Enumerable.Range(0, siblings.Length).Where(i => !siblings[i].Trajectory.Given.IsEmpty == given)];
    }
}
