using System.Collections.Immutable;
using Lateral.Core.Learning;

namespace Lateral.Diffusion.Learning;

/// <summary>
/// What the micro-batches of each gradient shard held, and its run-length form in the journal: a replay has to cut the same,
/// because a sum of floats depends on it.
/// </summary>
internal static class MicroBatchCuts
{
    /// <param name="tokens">by shard, counted over all updates of the step</param>
    public static ImmutableArray<MicroBatchSpan> Encode(IEnumerable<int> tokens)
    {
        var spans = ImmutableArray.CreateBuilder<MicroBatchSpan>();
        foreach (var (shard, held) in tokens.Index())
        {
            if (spans.Count == 0 || spans[^1].Tokens != held) spans.Add(new MicroBatchSpan(shard, held));
        }

        return spans.ToImmutable();
    }

    /// <returns>[shards] tokens of one update's shards; null = not decided</returns>
    public static ImmutableArray<int>? Decode(StepDecision? decided, int update, int shards) =>
        decided is null or { MicroBatches.IsEmpty: true } ? null : [.. Enumerable.Range(update * shards, shards).Select(shard => decided.MicroBatches.Last(span => span.FirstShard <= shard).Tokens)];
}
