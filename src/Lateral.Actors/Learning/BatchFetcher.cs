using System.Collections.Immutable;
using Akka.Actor;
using Lateral.Actors.Rollouts;
using Lateral.Core.Learning;
using Lateral.Core.Rewards;
using Lateral.Core.Runs;

namespace Lateral.Actors.Learning;

/// <summary>Fetches a batch's groups from their entities by id, each with a deadline, and verifies every content hash.</summary>
internal sealed class BatchFetcher(IActorRef groups, TimeSpan deadline)
{
    private const int Attempts = 3;

    /// <exception cref="BatchUnavailableException">a group did not answer, is incomplete, or is not what the ledger promised</exception>
    public async Task<LearnerBatch> FetchAsync(int epoch, BatchFormed batch, int plannedGroups, CancellationToken cancellation)
    {
        var fetched = await Task.WhenAll(batch.Groups.Select(group => FetchAsync(group, cancellation)));
        return new LearnerBatch(epoch, batch.Step, plannedGroups, [.. fetched]);
    }

    private async Task<ScoredGroup> FetchAsync(BatchGroup group, CancellationToken cancellation)
    {
        var siblings = ImmutableArray.CreateBuilder<ScoredTrajectory>();
        for (var size = 1; siblings.Count < size;)
        {
            var content = await AskAsync(group.Ordinal, siblings.Count, cancellation);
            if (content.Siblings.IsEmpty) throw new BatchUnavailableException($"group {group.Ordinal} gave nothing after sibling {siblings.Count} of {content.GroupSize}");
            siblings.AddRange(content.Siblings);
            size = content.GroupSize;
        }

        var scored = new ScoredGroup(group.Ordinal, siblings.ToImmutable());
        var hash = ContentHash.Of(scored);
        return hash == group.Hash ? scored : throw new BatchUnavailableException($"group {group.Ordinal} has content {hash}, the ledger promised {group.Hash}");
    }

    private async Task<GroupProtocol.GroupContent> AskAsync(long group, int from, CancellationToken cancellation)
    {
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                var answer = await groups.Ask<object>(new GroupProtocol.GetGroup(group, from), deadline, cancellation);
                return answer as GroupProtocol.GroupContent
                    ?? throw new BatchUnavailableException($"group {group} is in a batch but {(answer as GroupProtocol.GroupIncomplete)?.Reason ?? $"answered {answer}"}");
            }
            catch (AskTimeoutException) when (attempt < Attempts)
            {
                // The shard may be moving or its entity recovering; the next attempt wakes it.
            }
            catch (AskTimeoutException timeout)
            {
                throw new BatchUnavailableException($"group {group} did not answer {Attempts} times within {deadline.TotalSeconds:0} s", timeout);
            }
        }
    }
}

/// <summary>A batch cannot be put together as the ledger promised it.</summary>
internal sealed class BatchUnavailableException(string message, Exception? inner = null) : Exception(message, inner);
