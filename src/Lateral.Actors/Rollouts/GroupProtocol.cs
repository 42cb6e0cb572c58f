using System.Collections.Immutable;
using Lateral.Core.Rewards;
using Lateral.Core.Rollouts;

namespace Lateral.Actors.Rollouts;

/// <summary>A message for the entity of one rollout group.</summary>
public interface IGroupMessage : IRemoteMessage
{
    /// <summary>The group's ordinal.</summary>
    long Group { get; }
}

/// <summary>Conversations with a rollout group's entity.</summary>
public static class GroupProtocol
{
    /// <summary>The ledger has issued the group; repeated, idempotent.</summary>
    public sealed record OpenGroup(long Group, int Version, bool Pinned) : IGroupMessage;

    /// <summary>Sampled siblings; repeated until acknowledged.</summary>
    public sealed record TrajectoriesSampled(long Group, ImmutableArray<Trajectory> Trajectories) : IGroupMessage;

    /// <summary>The siblings are in the journal.</summary>
    public sealed record TrajectoriesAcknowledged(long Group, ImmutableArray<int> Siblings) : IRemoteMessage;

    public sealed record RolloutsScored(long Group, string Pool, ImmutableArray<(int Sibling, RewardOutcome Outcome)> Outcomes) : IGroupMessage;

    /// <summary>A reward pool has the group's request in hand or holds it for the end of an outage; repeated while that is so.</summary>
    public sealed record ScoringGoesOn(long Group, string Pool) : IGroupMessage;

    /// <summary>Answered by <see cref="GroupContent"/> with siblings from <paramref name="From"/> on, or by <see cref="GroupIncomplete"/>.</summary>
    public sealed record GetGroup(long Group, int From = 0) : IGroupMessage;

    /// <param name="GroupSize">siblings of the group in all</param>
    /// <param name="Siblings">in sibling order, as many as one message holds</param>
    public sealed record GroupContent(long Group, int GroupSize, ImmutableArray<ScoredTrajectory> Siblings) : IRemoteMessage;

    public sealed record GroupIncomplete(long Group, string Reason) : IRemoteMessage;

    /// <summary>The group was consumed or filtered: nothing is left to do.</summary>
    public sealed record RetireGroup(long Group) : IGroupMessage;
}
