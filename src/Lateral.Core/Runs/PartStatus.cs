using System.Collections.Immutable;

namespace Lateral.Core.Runs;

/// <summary>What a part of a run is doing.</summary>
public enum Phase
{
    /// <summary>On its way up, or never heard of.</summary>
    Starting,

    /// <summary>Nothing to do, and nothing is due.</summary>
    Idle,

    /// <summary>Lacks what <see cref="PartStatus.Waits"/> says.</summary>
    Waiting,
    WarmingUp,
    Restoring,
    Fetching,
    Training,
    Evaluating,
    Committing,
    Saving,
    Sampling,
    Swapping,
    Dispatching,
    Scoring,
    Persisting,
    Running,
    Paused,
    Draining,
    Finished,

    /// <summary>Failed, and is being started again; <see cref="PartStatus.Fault"/> says why.</summary>
    Restarting,
}

/// <summary>Whom a part waits for, and for what.</summary>
/// <param name="On">a name from <see cref="Parts"/></param>
/// <param name="What">for example <c>batch 212</c></param>
public sealed record WaitsFor(string On, string What);

/// <summary>Failures in a row: a success ends the row.</summary>
/// <param name="Seconds">since the first of the row</param>
public sealed record PartFault(string Reason, int Count, double Seconds);

/// <summary>
/// What one part says of itself, repeated about once a second. Parts know neither how long nor how silent they are: that is
/// added by whoever collects, with one clock for all.
/// </summary>
/// <param name="Part">a name from <see cref="Parts"/></param>
/// <param name="Subject">what the phase is about, for example <c>step 12</c>: another subject is another phase</param>
public sealed record PartStatus(string Part, Phase Phase, string? Subject = null, WaitsFor? Waits = null)
{
    /// <summary>Seconds in this phase.</summary>
    public double Seconds { get; init; }

    /// <summary>Seconds since the part last said anything.</summary>
    public double SilentSeconds { get; init; }

    /// <summary>Counts and seconds by a name from <see cref="Figures"/>.</summary>
    public ImmutableSortedDictionary<string, double> Figures { get; init; } = ImmutableSortedDictionary<string, double>.Empty;

    public PartFault? Fault { get; init; }

    /// <summary>0 where the part did not say.</summary>
    public double Figure(string name) => Figures.GetValueOrDefault(name);

    public PartStatus With(string figure, double value) => this with { Figures = Figures.SetItem(figure, value) };

    /// <summary>Whether <paramref name="other"/> goes on with what this one does.</summary>
    public bool IsSamePhase(PartStatus other) => (Phase, Subject, Waits) == (other.Phase, other.Subject, other.Waits);
}

/// <summary>Names of the parts of a run.</summary>
public static class Parts
{
    public const string Ledger = "ledger";
    public const string Journal = "journal";
    public const string Learner = "learner";
    public const string Dispatcher = "dispatcher";
    public const string PolicyCache = "policy cache";
    public const string PolicyPublisher = "policy publisher";

    /// <summary>Writes steps, rollouts and checkpoints beside the training.</summary>
    public const string Recorder = "recorder";

    private const string SamplerPrefix = "sampler ", RewardPoolPrefix = "reward pool ", RankPrefix = "learner rank ";

    public static string Sampler(string name) => SamplerPrefix + name;

    public static string RewardPool(string name) => RewardPoolPrefix + name;

    /// <summary>A rank beside the learner's own.</summary>
    public static string Rank(string name) => RankPrefix + name;

    /// <summary>Whether the run goes on without this one part, as long as there is another or the learner does its work.</summary>
    public static bool IsOneOfMany(string part) => IsSampler(part) || part.StartsWith(RankPrefix, StringComparison.Ordinal);

    public static bool IsSampler(string part) => part.StartsWith(SamplerPrefix, StringComparison.Ordinal);

    public static bool IsRewardPool(string part) => part.StartsWith(RewardPoolPrefix, StringComparison.Ordinal);

    /// <summary>The pool's own name, as in <c>reward.pools.NAME</c>.</summary>
    public static string PoolName(string part) => part[RewardPoolPrefix.Length..];
}

/// <summary>Names of what parts count; seconds end in <c>-seconds</c>.</summary>
public static class Figures
{
    public const string Done = "done";
    public const string Of = "of";
    public const string StepSeconds = "step-seconds";
    public const string TokensPerSecond = "tokens-per-second";

    /// <summary>Groups that wait for a sampler.</summary>
    public const string Queued = "queued";

    /// <summary>Groups that samplers hold.</summary>
    public const string Leased = "leased";
    public const string OldestLeaseSeconds = "oldest-lease-seconds";
    public const string DeadlineSeconds = "deadline-seconds";

    /// <summary>Groups taken from a sampler that held them past the deadline.</summary>
    public const string Reissued = "reissued";

    /// <summary>Rollouts in the sampler's engine.</summary>
    public const string Active = "active";
    public const string Slots = "slots";
    public const string Version = "version";

    /// <summary>Nats per token between the sampler's score of its policy's canary and the learner's.</summary>
    public const string CanaryDifference = "canary-difference";

    /// <summary>Seconds without a forward although rollouts are active.</summary>
    public const string StalledSeconds = "stalled-seconds";

    /// <summary>Rollouts handed to a reward pool, or events handed to the journal, without an answer yet.</summary>
    public const string InFlight = "in-flight";
    public const string OldestSeconds = "oldest-seconds";
    public const string Workers = "workers";
    public const string TimeoutSeconds = "timeout-seconds";
}
