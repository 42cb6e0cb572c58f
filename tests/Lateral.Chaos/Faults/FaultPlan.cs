using System.Collections.Immutable;
using Lateral.Chaos.Deployment;
using Lateral.Chaos.Watching;

namespace Lateral.Chaos.Faults;

/// <summary>
/// All faults of a soak, a pure function of its seed. Rounds in which every kind comes up, the frequent ones of a cluster (samplers that
/// are taken away, verifiers that fail) more often, each in another order; the forced stale commit comes first, because without
/// it the soak proves nothing about fencing.
/// </summary>
internal static class FaultPlan
{
    private static readonly ImmutableArray<string> Places = ["after-optim", "mid-save", "before-commit", "after-commit"];

    public static ImmutableArray<Fault> Of(int seed, int count)
    {
        var random = new Random(seed);
        var plan = ImmutableArray.CreateBuilder<Fault>();
        while (plan.Count < count)
        {
            var round = Round(random).ToArray();
            random.Shuffle(round);
            plan.AddRange(round.OrderByDescending(fault => plan.Count == 0 && fault.Kind == FaultKind.StaleCommit));
        }

        return [.. plan.Take(count)];
    }

    private static IEnumerable<Fault> Round(Random random)
    {
        for (var times = 0; times < 3; times++)
            foreach (var sampler in Cluster.Samplers) yield return One(FaultKind.Kill, sampler);
        foreach (var node in new[] { Cluster.Coordinator, Cluster.Coordinator, Cluster.Learner, Cluster.Rank, Cluster.Reward }) yield return One(FaultKind.Kill, node);
        foreach (var place in Places) yield return One(FaultKind.Failpoint, Cluster.Learner, place);
        yield return One(FaultKind.StaleCommit, Cluster.Learner);
        yield return One(FaultKind.Partition, Any(Cluster.Coordinator, Cluster.Learner, Cluster.Rank, Cluster.Samplers[0]), hold: 8);
        yield return One(FaultKind.OneWayPartition, Any(Cluster.Learner, Cluster.Rank, Cluster.Samplers[1], Cluster.Reward), hold: 8);
        yield return One(FaultKind.Stop, Cluster.Learner, hold: 15);
        yield return One(FaultKind.Stop, Any(Cluster.Rank, Cluster.Samplers[0], Cluster.Samplers[1]), hold: 15);
        yield return One(FaultKind.DatabaseKill, Resumption.Database);
        yield return One(FaultKind.DatabaseKill, Resumption.Database);
        yield return One(FaultKind.DatabaseOutage, Resumption.Database, hold: 10);
        yield return One(FaultKind.DiskFull, Cluster.Learner, hold: 5);
        yield return One(FaultKind.BadCheckpoint, Cluster.Learner);
        yield return One(FaultKind.BadPolicy, Any([.. Cluster.Samplers]));
        yield return One(FaultKind.ClockJump, Any(Cluster.Learner, Cluster.Samplers[1], Cluster.Reward), Any("+1h", "-1h"), hold: 5);
        foreach (var poison in new[] { "throw", "throw", "throw", "throw", "hang", "hang", "hang", "nan", "nan", "nan" }) yield return One(FaultKind.PoisonReward, Cluster.Reward, poison);

        Fault One(FaultKind kind, string part, string detail = "", int hold = 0) => new(kind, part, detail, TimeSpan.FromSeconds(hold), TimeSpan.FromSeconds(1 + 3 * random.NextDouble()));

        string Any(params string[] choices) => choices[random.Next(choices.Length)];
    }
}
