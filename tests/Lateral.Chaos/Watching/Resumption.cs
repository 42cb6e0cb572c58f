using Lateral.Chaos.Deployment;

namespace Lateral.Chaos.Watching;

/// <summary>When a role's work counts as resumed, told from what was journaled before the fault and since.</summary>
internal static class Resumption
{
    public const string Database = "database";

    /// <param name="part">node, or <see cref="Database"/></param>
    /// <param name="before">at the fault</param>
    public static Func<Seen, bool> Of(string part, Seen before)
    {
        switch (Cluster.RoleOf(part))
        {
            // Everything that was out is in, whoever did it: what the dead one held was given to another.
            case "sampler":
                return AllIssued(before, seen => seen.Sampled);
            case Cluster.Reward:
                return AllIssued(before, seen => seen.Scored);
            case Database:
                return now => now.Rows > before.Rows;
            default:
                return now => now.Steps > before.Steps;
        }
    }

    private static Func<Seen, bool> AllIssued(Seen before, Func<Seen, IReadOnlySet<long>> done)
    {
        var awaited = Enumerable.Range(0, (int)before.Issued).Select(ordinal => (long)ordinal).Where(ordinal => !done(before).Contains(ordinal)).ToList();
        return now => done(now).Count > done(before).Count && awaited.All(done(now).Contains);
    }
}
