using System.Collections.Immutable;
using Lateral.Core.Prompts;
using Lateral.Core.Rollouts;

namespace Lateral.Core.Rewards;

/// <summary>
/// What came of scoring a rollout. An infrastructure failure is never a number: only <see cref="Scored"/> and
/// <see cref="ModelFault"/> reach advantages, and a model fault's number is the pool's declared <c>fault-reward</c>.
/// </summary>
public abstract record RewardOutcome
{
    /// <summary>What the request's guesses are worth, one by one; never of an infrastructure fault.</summary>
    public ImmutableArray<double> Guesses { get; init; } = [];

    /// <param name="Breakdown">parts by name, for example <c>format = 1, answer = 0</c></param>
    public sealed record Scored(double Value, ImmutableSortedDictionary<string, double> Breakdown) : RewardOutcome;

    /// <summary>The model's own doing: its code timed out, crashed, or its answer cannot be read.</summary>
    public sealed record ModelFault(string Kind) : RewardOutcome;

    /// <summary>The verifier, its machine or its deadline failed; retried, then the whole group is quarantined.</summary>
    public sealed record InfraFault(string Kind) : RewardOutcome;
}

/// <summary>One rollout to score.</summary>
public sealed record RewardRequest(RolloutId Id, Prompt Prompt, string Completion)
{
    /// <summary>What the rollout would have answered at each of its steps, to be scored like its completion. A verifier never sees them: it is asked once for each.</summary>
    public ImmutableArray<string> Guesses { get; init; } = [];
}

/// <summary>A verifier. Thread-safe; it must honour cancellation, which is its deadline.</summary>
public interface IReward
{
    ValueTask<RewardOutcome> ScoreAsync(RewardRequest request, CancellationToken cancellation);
}

/// <summary>A verifier that needs something of its machine, or of another: a sandbox, an endpoint, a device.</summary>
public interface IPreparedReward : IReward
{
    /// <summary>Proves that the verifier works, before a run begins.</summary>
    /// <exception cref="RewardUnavailableException">it does not</exception>
    Task PrepareAsync(CancellationToken cancellation);

    /// <summary>What a user should know of how it works here, once it is prepared; empty = nothing.</summary>
    IReadOnlyList<string> Notes => [];
}

/// <summary>A verifier that cannot work here. The message says what is missing, why it is needed and how to get it.</summary>
public sealed class RewardUnavailableException(string message, Exception? cause = null) : Exception(message, cause);

/// <summary>What a group does when a pool's infrastructure has failed it.</summary>
public enum PoolFailureAnswer
{
    /// <summary>Tries again, and is quarantined, whole, with the third failure.</summary>
    Retry,

    /// <summary>Is quarantined with the first failure.</summary>
    Quarantine,

    /// <summary>Tries again, and with the third failure goes on without the pool: none of its siblings is valued by it, so that they stay comparable.</summary>
    Skip,
}

/// <summary>A named pool of reward workers.</summary>
/// <param name="Workers">rollouts scored at once</param>
/// <param name="Weight">factor of this pool's value in the rollout's reward</param>
/// <param name="Timeout">deadline of one call</param>
/// <param name="FaultReward">the value a <see cref="RewardOutcome.ModelFault"/> counts as</param>
public sealed record RewardPoolSpec(string Name, string Kind, int Workers, double Weight, TimeSpan Timeout, double FaultReward)
{
    public PoolFailureAnswer OnFailure { get; init; }

    /// <summary>The kind's own keys as written, every one of them; empty for a kind that has none.</summary>
    public ImmutableSortedDictionary<string, string> Parameters { get; init; } = ImmutableSortedDictionary<string, string>.Empty;
}

/// <summary>A trajectory with its reward: the weighted sum over pools.</summary>
public sealed record ScoredTrajectory(Trajectory Trajectory, double Reward, ImmutableSortedDictionary<string, double> Breakdown)
{
    /// <summary>[S] what each of the trajectory's guesses would have been rewarded with; empty where it has none.</summary>
    public ImmutableArray<double> GuessRewards { get; init; } = [];
}

/// <summary>All siblings of one prompt, in sibling order.</summary>
public sealed record ScoredGroup(long Ordinal, ImmutableArray<ScoredTrajectory> Siblings);
