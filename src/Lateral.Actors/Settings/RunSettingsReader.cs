using System.Collections.Immutable;
using System.Net;
using System.Text.RegularExpressions;
using Lateral.Configuration;
using Lateral.Core.Policies;
using Lateral.Core.Runs;

namespace Lateral.Actors.Settings;

/// <summary>
/// A resolved tree to <see cref="RunSettings"/>. It holds no defaults: every key stands in reference.conf. All mistakes are
/// found in one pass, each with its place, and rules between keys are checked like the keys themselves.
/// </summary>
public static partial class RunSettingsReader
{
    private const int Million = 1_000_000;

    /// <exception cref="ConfigException">one or more mistakes</exception>
    public static RunSettings Read(ConfigObject root)
    {
        var errors = new List<ConfigError>();
        var config = new ConfigReader(root, errors);
        var settings = Read(config);
        config.CheckUnknown();
        return errors.Count == 0 ? settings : throw new ConfigException([.. errors.Distinct()]);
    }

    private static RunSettings Read(ConfigReader config)
    {
        var run = config.Section("run");
        var name = run.String("name", allowEmpty: false);
        if (!NamePattern().IsMatch(name)) run.Error("name", $"must be letters, digits, '.', '_' or '-', at most 64 and not first a '.', got \"{name}\"");
        var directory = run.String("dir", allowEmpty: false);
        var steps = run.Int("steps", 1, 10 * Million);
        var deterministic = config.Bool("deterministic");
        var compute = ReadCompute(config.Section("compute"), deterministic);
        var algorithm = config.Section("algorithm").OneOf("name", "grpo");
        var (rollout, learner) = (RolloutSection.Read(config.Section("rollout")), LearnerSection.Read(config.Section("algorithm"), config.Section("learner")));
        CheckBatch(config, rollout, learner.Shards, learner.MicroBatchTokens, learner.StepSubset);
        return new RunSettings(
            name, Path.Combine(directory, name), steps, (ulong)run.Long("seed", 0), deterministic,
            TaskSection.Read(config), ReadModel(config.Section("model")), LearnerSection.ReadWarmup(config.Section("warmup")),
            rollout, config.Section("staleness").Int("max-versions", 0, 8), algorithm, learner,
            RewardSection.Read(config.Section("reward")), ReadEvaluation(config.Section("eval")), ReadCheckpoint(config.Section("checkpoint")),
            ReadTopology(config.Section("topology")), JournalSection.Read(config.Section("journal")), compute,
            config.Raw("akka") is { } akka ? CanonicalJson.Write(akka) : "{}");
    }

    private static ModelSettings ReadModel(ConfigReader model)
    {
        var size = model.Section("size");
        var shape = new ModelSize(size.Int("width", 8, 8192), size.Int("layers", 1, 128), size.Int("heads", 1, 128), size.Int("mlp", 8, 65_536));
        // Rotary position encoding turns pairs of a head's coordinates.
        if (shape.Heads > 0 && shape.Width % (2 * shape.Heads) != 0)
            size.Error("width", $"must be an even multiple of heads ({shape.Heads}), got {shape.Width} - write width = {Math.Max(1, shape.Width / (2 * shape.Heads)) * 2 * shape.Heads}");
        return new ModelSettings(model.OptionalString("path"), shape);
    }

    private static EvaluationSettings ReadEvaluation(ConfigReader eval) =>
        new(eval.Int("every", 0, Million), eval.Int("prompts", 1, Million), eval.Int("final-prompts", 1, Million), eval.Int("samples", 1, 1024));

    private static CheckpointSettings ReadCheckpoint(ConfigReader checkpoint) =>
        new(checkpoint.Int("every", 1, Million), checkpoint.Int("keep-last", 1, Million));

    private static ComputeSettings ReadCompute(ConfigReader compute, bool deterministic)
    {
        var threads = compute.Int("threads", 1, 1024);
        if (deterministic && threads != 1) compute.Error("threads", $"must be 1 with deterministic = on, got {threads} - several threads add numbers in changing order");
        return new ComputeSettings(threads, compute.OptionalString("libtorch"));
    }

    private static TopologySettings ReadTopology(ConfigReader topology)
    {
        var roles = topology.Section("roles");
        _ = (roles.Section("coordinator"), roles.Section("reward"));
        var sampler = roles.Section("sampler");
        var devices = sampler.StringList("devices").ToImmutableArray();
        if (devices.IsEmpty) sampler.Error("devices", "must name at least one device - write devices = [cpu]");
        if (devices.Distinct(StringComparer.Ordinal).Count() != devices.Length) sampler.Error("devices", "names a device twice - one sampler per device is fastest");
        foreach (var device in devices) CheckDevice(sampler, "devices", device);
        var learner = roles.Section("learner");
        CheckDevice(learner, "device", learner.String("device"));
        var host = topology.String("host", allowEmpty: false);
        // Remoting is not encrypted: whoever reaches the port could speak for a role.
        if (!(host == "localhost" || (IPAddress.TryParse(host, out var address) && IPAddress.IsLoopback(address))))
            topology.Error("host", $"must be a loopback address such as 127.0.0.1, got \"{host}\" - remoting is not encrypted");
        return new TopologySettings(devices, sampler.Int("slots", 1, 65_536), learner.String("device"), host, topology.Int("port", 0, 65_535));
    }

    private static void CheckDevice(ConfigReader section, string key, string device)
    {
        if (!DevicePattern().IsMatch(device)) section.Error(key, $"must name cpu, or cuda:0, cuda:1, ..., got \"{device}\"");
    }

    /// <summary>Prompts, rollouts and tokens of a batch have to fit each other.</summary>
    private static void CheckBatch(ConfigReader config, RolloutSettings rollout, int shards, int microBatchTokens, int stepSubset)
    {
        var (learner, algorithm) = (config.Section("learner"), config.Section("algorithm"));
        var rollouts = rollout.GroupsPerStep * rollout.GroupSize;
        if (shards > rollouts) learner.Error("shards", $"must be at most the {rollouts} rollouts of a batch ({rollout.GroupsPerStep} groups x {rollout.GroupSize}), got {shards}");
        if (microBatchTokens <= rollout.Spec.GenLength)
            learner.Error("micro-batch-tokens", $"must hold one rollout: more than rollout.gen-length ({rollout.Spec.GenLength}) and the prompt, got {microBatchTokens}");
        if (stepSubset > rollout.Spec.Steps) algorithm.Error("step-subset", $"must be at most rollout.steps ({rollout.Spec.Steps}), got {stepSubset}");
    }

    [GeneratedRegex("^[A-Za-z0-9_-][A-Za-z0-9._-]{0,63}$", RegexOptions.NonBacktracking | RegexOptions.ExplicitCapture)]
    private static partial Regex NamePattern();

    [GeneratedRegex("^(cpu|cuda(:[0-9]{1,3})?)$", RegexOptions.NonBacktracking | RegexOptions.ExplicitCapture)]
    private static partial Regex DevicePattern();
}
