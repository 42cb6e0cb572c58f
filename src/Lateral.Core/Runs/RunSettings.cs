using System.Collections.Immutable;
using Lateral.Core.Learning;
using Lateral.Core.Policies;
using Lateral.Core.Rewards;
using Lateral.Core.Rollouts;

namespace Lateral.Core.Runs;

/// <summary>One run, fully described: built once from HOCON, immutable. Every default, unit and range stands in hocon/reference.conf.</summary>
/// <param name="Directory">this run's own directory, <c>run.dir/run.name</c></param>
/// <param name="AkkaOverrides">the user's <c>akka {}</c> section as JSON; laid over ours</param>
public sealed record RunSettings(
    string Name, string Directory, int Steps, ulong Seed, bool Deterministic,
    TaskSettings Task, ModelSettings Model, WarmupSettings Warmup,
    RolloutSettings Rollout, int MaxStaleness, string Algorithm, LearnerSettings Learner,
    ImmutableArray<RewardPoolSpec> Pools, EvaluationSettings Evaluation, CheckpointSettings Checkpoint,
    TopologySettings Topology, JournalSettings Journal, ComputeSettings Compute, string AkkaOverrides)
{
    /// <summary>Keys of the sections that plugins have to themselves, as written, by section: <c>transports.http</c>.</summary>
    public ImmutableSortedDictionary<string, ImmutableSortedDictionary<string, string>> Plugins { get; init; } =
        ImmutableSortedDictionary<string, ImmutableSortedDictionary<string, string>>.Empty;

    /// <summary>Group n is about training prompt FirstPrompt + n, and its random numbers are keyed by that.</summary>
    public long FirstPrompt { get; init; }

    /// <summary>The checkpoint the run began from, <c>NAME@STEP</c>; a copy of it lies in the run directory. Null = the run made its own base.</summary>
    public string? ForkedFrom { get; init; }

    public LedgerSettings Ledger => new(Rollout.GroupsPerStep, MaxStaleness, Steps, Deterministic);
}

/// <param name="Parameters">the task's own keys, as written</param>
public sealed record TaskSettings(string Name, ImmutableSortedDictionary<string, string> Parameters);

/// <param name="Deadline">how long a sampler may hold a group before it is given to another</param>
public sealed record RolloutSettings(int GroupsPerStep, int GroupSize, RolloutSpec Spec, TimeSpan Deadline);

/// <param name="Every">evaluate sampled pass@1 every so many steps; 0 = only before and after</param>
/// <param name="Prompts">held-out prompts used by the evaluations during training</param>
/// <param name="FinalPrompts">held-out prompts used before and after</param>
/// <param name="Samples">k of pass@k before and after</param>
public sealed record EvaluationSettings(int Every, int Prompts, int FinalPrompts, int Samples);

public sealed record CheckpointSettings(int Every, int KeepLast);

/// <param name="Kind"><c>sqlite</c> (files in the run directory) or <c>postgres</c></param>
/// <param name="ConnectionString">of a PostgreSQL server, for example <c>Host=db;Database=lateral;Username=lateral</c>; never with the password</param>
/// <param name="Password">from the environment, at every start</param>
public sealed record JournalSettings(string Kind, string? ConnectionString = null, Secret? Password = null);

/// <param name="Threads">intra-op threads of libtorch in this process</param>
/// <param name="Libtorch">directory of an installed libtorch or PyTorch; null = the package's</param>
public sealed record ComputeSettings(int Threads, string? Libtorch);

/// <param name="Slots">canvases a sampler denoises at once</param>
/// <param name="SamplerDevices">one sampler per device, for example <c>cpu</c> or <c>cuda:0</c></param>
/// <param name="Port">Akka remoting's port on <paramref name="Host"/>; 0 = any free one</param>
public sealed record TopologySettings(
    ImmutableArray<string> SamplerDevices, int Slots, string LearnerDevice, string Host, int Port)
{
    /// <summary>CUDA devices the machine is said to have; null = not declared, and then only starting tells.</summary>
    public int? GpusPerNode { get; init; }

    /// <summary>Whether a sampler and the learner may name the same CUDA device.</summary>
    public bool ShareDevices { get; init; }
}
