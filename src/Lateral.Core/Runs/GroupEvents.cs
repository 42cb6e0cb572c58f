using System.Collections.Immutable;
using Lateral.Core.Rewards;
using Lateral.Core.Rollouts;

namespace Lateral.Core.Runs;

/// <summary>What happened to one rollout group; its journal holds the trajectories themselves.</summary>
public interface IGroupEvent;

/// <summary>Siblings that were sampled; rollouts recorded before are never replaced.</summary>
public sealed record TrajectoriesRecorded(ImmutableArray<Trajectory> Trajectories) : IGroupEvent;

/// <summary>What one pool found for some siblings; only values, never infrastructure faults.</summary>
public sealed record RewardsRecorded(string Pool, ImmutableArray<PoolReward> Rewards) : IGroupEvent;

/// <summary>One sibling's value in one pool, before the pool's weight.</summary>
/// <param name="Fault">kind of the model's fault the value stands for; null when scored</param>
public sealed record PoolReward(int Sibling, double Value, string? Fault, ImmutableSortedDictionary<string, double> Breakdown)
{
    /// <summary>[S] its guesses' values, before the pool's weight; empty where it has none.</summary>
    public ImmutableArray<double> Guesses { get; init; } = [];
}

/// <summary>Scoring failed for a reason that is not the model's; retried up to <see cref="RolloutGroup.MaxInfraFaults"/> times.</summary>
public sealed record InfraFaultRecorded(string Pool, string Kind) : IGroupEvent;

/// <summary>The group goes on without a pool that has failed it: no sibling is valued by it, whatever it has answered before.</summary>
public sealed record PoolSkipped(string Pool, string Reason) : IGroupEvent;

/// <summary>The group is given up, whole: it is never trained short.</summary>
public sealed record GroupQuarantined(string Reason) : IGroupEvent;
