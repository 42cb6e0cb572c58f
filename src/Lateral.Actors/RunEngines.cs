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
public sealed record RunEngines(
    Func<string, ISampler> Sampler,
    Func<ILearner> Learner,
    ImmutableDictionary<string, IReward> Rewards,
    IPromptSource Prompts,
    IEvaluator Evaluator,
    IRunRecorder Recorder,
    IPolicyCache PolicyCache,
    IPolicyStore PolicyStore);
