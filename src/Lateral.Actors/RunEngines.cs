using System.Collections.Immutable;
using Lateral.Core.Learning;
using Lateral.Core.Policies;
using Lateral.Core.Prompts;
using Lateral.Core.Rewards;
using Lateral.Core.Rollouts;
using Lateral.Core.Runs;

namespace Lateral.Actors;

/// <summary>What the actors drive, behind Core's ports. Factories are called again when an engine has failed.</summary>
/// <param name="Sampler">by device name</param>
/// <param name="Rewards">by reward pool name</param>
/// <param name="PolicyCache">of a node that can read the run directory</param>
public sealed record RunEngines(
    Func<string, ISampler> Sampler,
    Func<ILearner> Learner,
    ImmutableDictionary<string, IReward> Rewards,
    IPromptSource Prompts,
    IEvaluator Evaluator,
    IRunRecorder Recorder,
    IPolicyCache PolicyCache,
    IPolicyStore PolicyStore)
{
    /// <summary>A learner rank's engine by device; null = this process has none.</summary>
    public Func<string, IGradientRank>? Rank { get; init; }

    /// <summary>The exchange that this process's learner sums its shards through.</summary>
    public SharedGradients Gradients { get; init; } = SharedGradients.Alone();

    /// <summary>Takes gradients to the learner of another process.</summary>
    public Func<PolicySource, IGradientSink>? RemoteGradients { get; init; }

    /// <summary>Where the policies that this node publishes can be fetched.</summary>
    public PolicySource PolicySource { get; init; } = PolicySource.RunDirectory;

    /// <summary>A cache for policies that another node publishes; null = the run directory is read, which is <see cref="PolicyCache"/>.</summary>
    public Func<PolicySource, IPolicyCache>? RemotePolicies { get; init; }
}
