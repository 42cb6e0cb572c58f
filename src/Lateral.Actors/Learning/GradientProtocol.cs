using System.Collections.Immutable;
using Lateral.Core.Learning;
using Lateral.Core.Policies;
using Lateral.Core.Runs;

namespace Lateral.Actors.Learning;

/// <summary>What the learner's ranks and the dispatcher of gradient shards say to one another. Gradients travel beside it, over HTTP.</summary>
internal static class GradientProtocol
{
    /// <summary>An idle rank asks for a shard; said again until one is granted.</summary>
    /// <param name="Request">rises with every shard that the rank is done with: it holds nothing from before</param>
    public sealed record RankReady(string Rank, long Request) : IRemoteMessage;

    /// <param name="Request">of the rank, which this answers</param>
    /// <param name="Batch">the groups; the rank fetches and verifies them as the learner did</param>
    /// <param name="Shards">of the update</param>
    /// <param name="Length">P, numbers in the gradient</param>
    /// <param name="Cuts">[Shards] or empty = as memory allows</param>
    public sealed record ShardGranted(
        long Request, GradientKey Update, int Shard, BatchFormed Batch, int PlannedGroups, int Shards, int Length, PolicyManifest Weights, ImmutableArray<int> Cuts) : IRemoteMessage;
}
