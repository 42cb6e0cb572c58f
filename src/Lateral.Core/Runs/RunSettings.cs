using System.Collections.Immutable;
using System.Security.Cryptography;
using System.Text;
using Lateral.Core.Learning;
using Lateral.Core.Policies;
using Lateral.Core.Prompts;
using Lateral.Core.Rewards;
using Lateral.Core.Rollouts;
using Lateral.Core.Security;

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

    /// <summary>The files that prompts are read from; null = the task generates them.</summary>
    public DataSettings? Data { get; init; }

    /// <summary>What of its reward a rollout loses that takes all its denoising steps; in proportion, one that takes fewer.</summary>
    public double StepCost { get; init; }

    /// <summary>A first batch whose rewards are all equal ends the run before anything is trained.</summary>
    public bool RefusesConstantRewards { get; init; }

    /// <summary>How samplers of other nodes get policies.</summary>
    public required PolicySyncSettings Policies { get; init; }

    /// <summary>Mutual TLS between nodes; null = none, and then nothing leaves the machine.</summary>
    public TlsSettings? Tls { get; init; }

    /// <summary>For a folder of this machine that several runs use: <c>first-0a1b2c3d4e5f</c>, so that runs of one name in different places do not meet in it.</summary>
    public string UniqueName() => $"{Name}-{Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(Path.GetFullPath(Directory))))[..12]}";

    /// <summary>What is done when a step leaves the run's course.</summary>
    public SpikeSettings Spikes { get; init; } = SpikeSettings.Off;

    /// <summary>The warm-up is all the training there is.</summary>
    public bool SupervisedOnly => Steps == 0;

    public LedgerSettings Ledger => new(Rollout.GroupsPerStep, MaxStaleness, Steps, Deterministic) { Spikes = Spikes };
}

/// <param name="Parameters">the task's own keys, as written</param>
public sealed record TaskSettings(string Name, ImmutableSortedDictionary<string, string> Parameters);

/// <param name="Deadline">how long a sampler may hold a group before it is given to another</param>
public sealed record RolloutSettings(int GroupsPerStep, int GroupSize, RolloutSpec Spec, TimeSpan Deadline);

/// <param name="Every">evaluate sampled pass@1 every so many steps; 0 = only before and after</param>
/// <param name="Prompts">held-out prompts used by the evaluations during training</param>
/// <param name="FinalPrompts">held-out prompts used before and after</param>
/// <param name="Samples">k of pass@k before and after</param>
public sealed record EvaluationSettings(int Every, int Prompts, int FinalPrompts, int Samples)
{
    /// <summary>Of the samples before and after, so many elect an answer, which is judged; 0 = none.</summary>
    public int Vote { get; init; }
}

public sealed record CheckpointSettings(int Every, int KeepLast);

/// <param name="Kind"><c>sqlite</c> (files) or <c>postgres</c></param>
/// <param name="ConnectionString">of a PostgreSQL server, for example <c>Host=db;Database=lateral;Username=lateral</c>; never with the password</param>
/// <param name="Password">from the environment, at every start</param>
public sealed record JournalSettings(string Kind, string? ConnectionString = null, Secret? Password = null)
{
    /// <summary>Of a PostgreSQL database; null = drawn at the run's first start and known to its directory alone, so that only the node with that directory can have the journal.</summary>
    public string? Schema { get; init; }

    /// <summary>Folder of the coordinator's machine in which the run's SQLite files have a folder of their own; null = they are in the run directory.</summary>
    public string? Directory { get; init; }

    /// <summary>How often they are copied into the run directory, where they are not in it.</summary>
    public TimeSpan BackupEvery { get; init; } = TimeSpan.FromSeconds(60);
}

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

    /// <summary>How often a sampler says how far its rollouts are: what its death costs at most.</summary>
    public TimeSpan ReportEvery { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>That train a batch together, the learner included: <c>learner.ranks</c>.</summary>
    public int Ranks { get; init; } = 1;

    /// <summary>One rank beside the learner a device, in each process with that role.</summary>
    public ImmutableArray<string> RankDevices { get; init; } = ["cpu"];

    /// <summary>How long a rank may hold a gradient shard before another may take it, too: <c>learner.shard-deadline</c>.</summary>
    public TimeSpan ShardDeadline { get; init; } = TimeSpan.FromMinutes(2);

    /// <summary>Processes by role.</summary>
    public ImmutableSortedDictionary<string, RoleSettings> Roles { get; init; } = ImmutableSortedDictionary<string, RoleSettings>.Empty;

    public ClusterSettings Cluster { get; init; } = ClusterSettings.Alone;
}

/// <param name="Local">whether <c>train</c> and <c>resume</c> take the role in their own process</param>
/// <param name="Nodes">processes with the role that the run waits for before it begins</param>
public sealed record RoleSettings(bool Local, int Nodes);

/// <summary>How the processes of a run find each other and how long they wait. At most one of seeds, DNS name and folder is given; none = one process is the run.</summary>
/// <param name="Seeds">addresses <c>host:port</c>; the first may begin the cluster</param>
/// <param name="Dns"><c>name:port</c> that resolves to the coordinators' addresses</param>
/// <param name="Directory">folder that every node can write</param>
/// <param name="Patience">for the other nodes, at the start and when the coordinator is gone</param>
/// <param name="HeartbeatPause">silence after which a node counts as unreachable</param>
/// <param name="StableAfter">how long a node stays unreachable before it is removed</param>
public sealed record ClusterSettings(
    ImmutableArray<string> Seeds, string? Dns, string? Directory, TimeSpan Patience, TimeSpan HeartbeatPause, TimeSpan StableAfter)
{
    public static ClusterSettings Alone { get; } = new([], null, null, TimeSpan.FromMinutes(10), TimeSpan.FromSeconds(3), TimeSpan.FromSeconds(7));

    public bool IsAlone => Seeds.IsEmpty && Dns is null && Directory is null;
}
