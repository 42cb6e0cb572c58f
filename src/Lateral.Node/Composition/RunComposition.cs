using Lateral.Actors;
using Lateral.Core.Learning;
using Lateral.Core.Prompts;
using Lateral.Core.Rollouts;
using Lateral.Core.Runs;
using Lateral.Diffusion;
using Lateral.Diffusion.Learning;
using Lateral.Diffusion.Models;
using Lateral.Diffusion.Native;
using Lateral.Diffusion.Objectives;
using Lateral.Diffusion.Sampling;
using Lateral.Diffusion.Tensors;
using Lateral.Node.Display;
using Lateral.Node.Evaluation;
using Lateral.Node.Runs;

namespace Lateral.Node.Composition;

/// <summary>Settings to engines: who is made of what, in one place and in one direction.</summary>
public sealed class RunComposition : IAsyncDisposable
{
    private readonly SamplingEvaluator _evaluator;

    private RunComposition(RunEngines engines, SamplingEvaluator evaluator) => (Engines, _evaluator) = (engines, evaluator);

    public RunEngines Engines { get; }

    /// <param name="roles">those of this process; engines of others are never asked for</param>
    /// <param name="gradients">the learner's ranks' exchange</param>
    public static RunComposition Of(RunSettings settings, RunDirectory directory, TaskComposition task, RunDisplay display, NodeRoles roles, SharedGradients gradients, TimeProvider time)
    {
        var network = Network(settings, task);
        var cache = new LocalPolicyCache(directory);
        // The learner's node evaluates; without samplers of its own it has the learner's device only.
        var evaluating = roles.HasFlag(NodeRoles.Sampler) ? settings : settings with { Topology = settings.Topology with { SamplerDevices = [settings.Topology.LearnerDevice] } };
        var evaluator = Evaluator(evaluating, task, cache, EvaluationPrompts.HeldOut(task.Prompts), time);
        var engines = new RunEngines(
            device => Sampler(settings, task, network, device),
            () => Learner(settings, directory, task, gradients),
            task.Rewards.ByPool,
            task.Prompts,
            evaluator,
            new ShownRecorder(new RunRecorder(directory, settings, task.Tokenizer, time), display),
            cache,
            new PolicyPublications(directory.Root))
        {
            Gradients = gradients,
            Rank = device => new GradientRank(Grpo(settings, directory, device), network),
        };
        return new RunComposition(engines, evaluator);
    }

    /// <param name="directory">takes the learner's policies and checkpoints, and holds a fork's base</param>
    public static ILearner Learner(RunSettings settings, RunDirectory directory, TaskComposition task, IGradientExchange exchange) =>
        new GrpoLearner(Grpo(settings, directory, settings.Topology.LearnerDevice), Network(settings, task), index => Example(task, index, settings.Rollout.Spec.GenLength), exchange);

    /// <summary>An evaluator with a sampler of its own on the first sampler's device, so that it never disturbs the run's batches.</summary>
    public static SamplingEvaluator Evaluator(RunSettings settings, TaskComposition task, LocalPolicyCache cache, EvaluationPrompts prompts, TimeProvider time) => new(
        EvaluationSampler(settings, task), cache, prompts, task.Judge(settings), settings.Rollout.Spec, settings.Evaluation, time);

    public static EvaluationSampler EvaluationSampler(RunSettings settings, TaskComposition task)
    {
        var network = Network(settings, task);
        return new EvaluationSampler(() => Sampler(settings, task, network, settings.Topology.SamplerDevices[0]), settings.Rollout.Deadline);
    }

    /// <summary>Checks what a new run begins with, without libtorch.</summary>
    /// <exception cref="UserException">the model to start from cannot be used</exception>
    public static void RequireModel(RunSettings settings, TaskComposition task)
    {
        if (settings is { Model.Path: { } path } && (settings.ForkedFrom is null || settings.Model.Adapter is not null)) ModelFolder.Require(path, task.Tokenizer, "model.path");
        if (settings.Model is { Adapter: { } adapter, Path: { } folder })
        {
            ModelFolder.Explain("model.adapter.targets", () =>
            {
                var spec = ModelStore.ReadSpec(folder);
                LoraAdapter.RequireModules(spec, LoraSettings.Of(adapter, spec, folder));
            });
        }
    }

    /// <summary>Checks what the roles need of this machine, before anything is written; loads libtorch where they compute.</summary>
    /// <exception cref="UserException">a device does not exist, or the port is taken</exception>
    /// <exception cref="RunHostException">the journal's server cannot be used, its files would be on a network, or they are lost</exception>
    /// <exception cref="NativeBackendException">libtorch cannot be loaded</exception>
    public static async Task RequireMachineAsync(RunSettings settings, NodeRoles roles, CancellationToken cancellation)
    {
        await EnvironmentProblem.RequirePortAsync(settings.Topology.Host, settings.Topology.Port, cancellation);
        if (roles.HasFlag(NodeRoles.Coordinator)) _ = RunJournal.Reach(settings);
        RunData.RequireSame(settings, roles);
        var topology = settings.Topology;
        var ranks = topology.Cluster.IsAlone ? topology.Ranks > 1 : roles.HasFlag(NodeRoles.Rank);
        string[] devices =
        [
            .. roles.HasFlag(NodeRoles.Sampler) ? topology.SamplerDevices : [],
            .. roles.HasFlag(NodeRoles.Learner) ? [topology.LearnerDevice] : Array.Empty<string>(),
            .. ranks ? topology.RankDevices : [],
        ];
        var rewards = RunRewards.AreAskedBy(roles) ? RunRewards.Devices(settings) : [];
        if (devices.Length + rewards.Count == 0) return;
        var backend = RequireTorch(settings, devices);
        foreach (var (setting, device) in rewards) RequireDevices(backend, setting, device);
    }

    /// <summary>Loads libtorch for work on the given devices.</summary>
    /// <exception cref="UserException">a device does not exist</exception>
    /// <exception cref="NativeBackendException">libtorch cannot be loaded</exception>
    public static NativeBackend RequireTorch(RunSettings settings, params IReadOnlyList<string> devices)
    {
        var backend = NativeBootstrap.Load(settings.Compute.Libtorch);
        TorchThreads.Use(settings.Compute.Threads);
        RequireDevices(backend, "topology.roles", devices);
        return backend;
    }

    /// <param name="who">what names the devices</param>
    /// <exception cref="UserException">a device does not exist</exception>
    public static void RequireDevices(NativeBackend backend, string who, params IReadOnlyList<string> devices)
    {
        if (devices.FirstOrDefault(device => !TorchDevices.Exists(backend, device)) is not { } missing) return;
        var known = TorchDevices.CudaCount(backend) is > 0 and var count ? $"cpu and cuda:0 .. cuda:{count - 1}" : "only cpu (this libtorch sees no CUDA device)";
        throw new UserException(ExitCode.Environment, $"device {missing} does not exist; there is {known} - change {who}, or name a CUDA build with compute.libtorch");
    }

    public ValueTask DisposeAsync() => _evaluator.DisposeAsync();

    /// <summary>A fork's model is its base's, whatever the configuration says of models; a fork's adapter adds to the model that its parent's did.</summary>
    public static PolicyNetwork Network(RunSettings settings, TaskComposition task)
    {
        var model = settings.ForkedFrom is null || settings.Model.Adapter is not null ? settings.Model : settings.Model with { Path = new RunDirectory(settings.Directory).Base };
        return new PolicyNetwork(model, task.Tokenizer, settings.Seed) { UnmaskingPolicy = RevealRules.ByName(settings.Rollout.Spec.Reveal).AsksUnmaskingPolicy };
    }

    private static GrpoSettings Grpo(RunSettings settings, RunDirectory directory, string device) => new(
        directory.Root, device, settings.Seed, settings.Steps, settings.Rollout.Spec.Temperature, settings.Checkpoint.KeepLast, settings.Learner, settings.Warmup)
    {
        FirstPrompt = settings.FirstPrompt,
        Rollout = settings.Rollout.Spec,
        Base = settings.ForkedFrom is null ? null : directory.Base,
    };

    private static ISampler Sampler(RunSettings settings, TaskComposition task, PolicyNetwork network, string device)
    {
        // Fixed shapes make a row independent of the other rows of its batch.
        var shape = settings.Deterministic ? new FixedShape(task.LongestPrompt() + settings.Rollout.Spec.GenLength, settings.Rollout.Spec.BlockLength) : null;
        var sampler = new SamplerSettings(device, settings.Topology.Slots, shape, settings.Seed, settings.Policies.CanaryLimit, settings.FirstPrompt)
        {
            Surrogate = SurrogateSettings.For(settings.Learner, settings.Rollout.Spec.Temperature),
            GuessTokens = settings.Learner.NeedsGuesses ? settings.Learner.MicroBatchTokens : null,
        };
        return new DiffusionSampler(sampler, task.Tokenizer, network);
    }

    private static SupervisedExample Example(TaskComposition task, long index, int genLength)
    {
        var item = task.Task.Corpus(index);
        return new SupervisedExample([.. task.Encoder.Encode(item)], [.. RunTokenizer.Answer(task.Tokenizer, item.Answer, genLength)]);
    }
}
