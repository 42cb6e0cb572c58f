using System.Collections.Immutable;
using Lateral.Core.Rewards;

namespace Lateral.Actors.Rewards;

/// <summary>Conversations with a reward pool.</summary>
public static class RewardProtocol
{
    /// <summary>Answered by <c>RolloutsScored</c> with one outcome per request, and until then by <c>ScoringGoesOn</c> every second.</summary>
    public sealed record ScoreRollouts(long Group, ImmutableArray<RewardRequest> Requests) : IRemoteMessage;
}
