using Lateral.Actors.Serialization.Proto;
using Lateral.Core.Learning;
using static Lateral.Actors.Learning.GradientProtocol;
using static Lateral.Actors.Serialization.Untrusted;

namespace Lateral.Actors.Serialization;

/// <summary>What the learner's ranks and the dispatcher of gradient shards say to one another.</summary>
internal static class GradientCodec
{
    public static IEnumerable<MessageForm> Forms { get; } =
    [
        MessageForm.Of<RankReady, RankReadyProto>("rank-ready", m => new() { Rank = m.Rank, Request = m.Request }, p => new(p.Rank, p.Request)),
        MessageForm.Of<ShardGranted, ShardGrantedProto>("shard-granted", ToProto, FromProto),
    ];

    private static ShardGrantedProto ToProto(ShardGranted m) => new()
    {
        Request = m.Request,
        Epoch = m.Update.Epoch,
        Step = m.Update.Step,
        Update = m.Update.Update,
        Shard = m.Shard,
        Batch = RunEventCodec.ToProto(m.Batch),
        PlannedGroups = m.PlannedGroups,
        Shards = m.Shards,
        Length = m.Length,
        Weights = RunEventCodec.ToProto(m.Weights),
        Cuts = { m.Cuts },
    };

    /// <summary>A rank takes memory by these numbers.</summary>
    private static ShardGranted FromProto(ShardGrantedProto p)
    {
        Required(p.Batch, "batch");
        Required(p.Weights, "weights");
        Expect(p.Shard >= 0 && p.Shard < p.Shards, $"step {p.Step} has {p.Shards} shards and none is number {p.Shard}");
        Expect(p.Length > 0, $"a gradient of {p.Length} numbers");
        Expect(p.Cuts.Count == 0 || (p.Cuts.Count == p.Shards && p.Cuts.All(tokens => tokens > 0)), $"step {p.Step} has {p.Shards} shards and {p.Cuts.Count} sizes of micro-batches");
        return new(
            p.Request, new GradientKey(p.Epoch, p.Step, p.Update), p.Shard, RunEventCodec.FromProto(p.Batch), p.PlannedGroups, p.Shards, p.Length,
            RunEventCodec.FromProto(p.Weights), [.. p.Cuts]);
    }
}
