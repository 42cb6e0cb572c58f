using System.Collections.Immutable;
using System.Text.RegularExpressions;
using Lateral.Configuration;
using Lateral.Core.Learning;
using Lateral.Core.Policies;
using Lateral.Core.Rollouts;
using Lateral.Core.Runs;

namespace Lateral.Actors.Settings;

/// <summary>
/// A resolved tree to <see cref="RunSettings"/>. The reader holds no defaults: every key stands in reference.conf. All mistakes are
/// found in one pass, each with its place, and rules between keys are checked like the keys themselves.
/// </summary>
public static partial class RunSettingsReader
{
    private const int Million = 1_000_000;

    /// <summary>Half of what a random key's group field holds: the other half is for the run's own groups.</summary>
    private const long MaxFirstPrompt = 1L << 47;

    /// <param name="reference">every default, plugins' included: what a section of theirs may hold, and what a refusal suggests</param>
    /// <param name="errors">takes every mistake; the settings are worth nothing unless it stays empty</param>
    internal static RunSettings Read(ConfigObject root, ConfigObject reference, IReadOnlyList<SettingsPlugin> plugins, List<ConfigError> errors)
    {
        var slips = new Slips([.. errors]);
        var config = new ConfigReader(root, errors, reference);
        var sections = PluginSections.Read(config, plugins);
        var settings = Read(config) with { Plugins = sections };
        PluginSections.Check(settings, root, plugins, errors);
        slips.DropConsequences(errors);
        var wrong = errors.Count;
        config.CheckUnknown();
        slips.DropUnknown(errors, wrong);
        return settings;
    }

    private static RunSettings Read(ConfigReader config)
    {
        var run = config.Section("run");
        var name = run.String("name", allowEmpty: false);
        if (!NamePattern().IsMatch(name)) run.Error("name", $"must be letters, digits, '.', '_' or '-', at most 64 and not first a '.', got \"{name}\"");
        var directory = run.String("dir", allowEmpty: false);
        var steps = run.Int("steps", 0, 10 * Million);
        var deterministic = config.Bool("deterministic");
        var compute = ReadCompute(config.Section("compute"), deterministic);
        var algorithm = config.Section("algorithm").OneOf("name", "grpo");
        var (rollout, learner) = (RolloutSection.Read(config.Section("rollout")), LearnerSection.Read(config));
        BatchRules.Check(config, rollout, learner);
        var data = DataSection.Read(config);
        DataSection.Check(config, data, rollout, learner.MicroBatchTokens);
        var (model, warmup) = (ReadModel(config.Section("model")), LearnerSection.ReadWarmup(config));
        CausalRules.Check(config, model, warmup, rollout, learner);
        CheckParts(config, model, rollout, learner);
        var tls = PolicySection.ReadTls(config.Section("tls"));
        var (journal, policies) = (JournalSection.Read(config.Section("journal")), PolicySection.Read(config.Section("policies")));
        return new RunSettings(
            name, Path.Combine(directory, name), steps, (ulong)run.Long("seed", 0), deterministic,
            TaskSection.Read(config, data), model, warmup,
            rollout, config.Section("staleness").Int("max-versions", 0, 16), algorithm, learner,
            RewardSection.Read(config.Section("reward")), ReadEvaluation(config.Section("eval")), ReadCheckpoint(config.Section("checkpoint")),
            TopologySection.Read(config.Section("topology"), config.Section("learner"), tls is not null, journal, policies.Transport), journal, compute,
            config.Raw("akka") is { } akka ? CanonicalJson.Write(akka) : "{}")
        {
            FirstPrompt = run.Long("first-prompt", 0, MaxFirstPrompt),
            ForkedFrom = run.OptionalString("forked-from"),
            Data = data,
            StepCost = config.Section("reward").Double("step-cost", 0, 1),
            RefusesConstantRewards = RewardSection.RefusesConstant(config.Section("reward")),
            Policies = policies,
            Spikes = LearnerSection.ReadSpikes(config.Section("learner").Section("spikes")),
            Tls = tls,
        };
    }

    private static ModelSettings ReadModel(ConfigReader model)
    {
        var size = model.Section("size");
        var shape = new ModelSize(size.Int("width", 8, 8192), size.Int("layers", 1, 128), size.Int("heads", 1, 128), size.Int("mlp", 8, 65_536));
        // Rotary position encoding turns pairs of a head's coordinates.
        if (shape.Heads > 0 && shape.Width % (2 * shape.Heads) != 0)
            size.Error("width", $"must be an even multiple of heads ({shape.Heads}), got {shape.Width} - write width = {Math.Max(1, shape.Width / (2 * shape.Heads)) * 2 * shape.Heads}");
        var (path, adapter) = (model.OptionalString("path"), ReadAdapter(model.Section("adapter")));
        if (adapter is not null && path is null) model.Section("adapter").Error(adapter.Path is null ? "rank" : "path", $"must be {(adapter.Path is null ? "0" : "null")} without model.path: an adapter adds to a model that is there - name it in model.path");
        var precision = model.OneOf("precision", ["float32", "bfloat16"]) == "bfloat16" ? ModelPrecision.BFloat16 : ModelPrecision.Float32;
        return new ModelSettings(path, shape) { Causal = model.OneOf("attention", ["full", "causal"]) == "causal", Adapter = adapter, Precision = precision, Chat = model.OneOf("chat", ["auto", "on", "off"]) switch { "on" => true, "off" => false, _ => null } };
    }

    /// <summary>A model that is frozen or narrow, against what begins as a copy of it or learns beside it.</summary>
    private static void CheckParts(ConfigReader config, ModelSettings model, RolloutSettings rollout, LearnerSettings learner)
    {
        if (model.Adapter is not null && learner.Critic is not null)
            config.Section("algorithm").Error("advantage", $"must be another than {learner.Advantage} with model.adapter: the value model would be a trained copy of the whole model - write advantage = group-z");
        if (model.Precision == ModelPrecision.BFloat16 && RevealRules.ByName(rollout.Spec.Reveal).AsksUnmaskingPolicy)
            config.Section("model").Error("precision", $"must be float32 with rollout.reveal = {rollout.Spec.Reveal}, got bfloat16: the unmasking policy is trained and reads the model's states - write precision = float32");
    }

    private static AdapterSettings? ReadAdapter(ConfigReader adapter)
    {
        var (rank, targets) = (adapter.Int("rank", 0, 4096), adapter.StringList("targets"));
        var settings = new AdapterSettings(rank, adapter.Double("alpha", 1e-3, 1e6), adapter.Bool("rank-stabilised"), [.. targets]) { Path = adapter.OptionalString("path") };
        if (targets.FirstOrDefault(string.IsNullOrWhiteSpace) is not null) adapter.Error("targets", "must name modules, and one of the names is empty");
        return rank == 0 && settings.Path is null ? null : settings;
    }

    private static EvaluationSettings ReadEvaluation(ConfigReader eval)
    {
        var (samples, vote) = (eval.Int("samples", 1, 1024), eval.Int("vote", 0, 1024));
        if (samples > 0 && vote > samples) eval.Error("vote", $"must be at most eval.samples ({samples}), which are what votes, got {vote} - write samples = {vote}, or vote = {samples}");
        return new(eval.Int("every", 0, Million), eval.Int("prompts", 1, Million), eval.Int("final-prompts", 1, Million), samples) { Vote = vote };
    }

    private static CheckpointSettings ReadCheckpoint(ConfigReader checkpoint) =>
        new(checkpoint.Int("every", 1, Million), checkpoint.Int("keep-last", 1, Million));

    private static ComputeSettings ReadCompute(ConfigReader compute, bool deterministic)
    {
        var threads = compute.Int("threads", 1, 1024);
        if (deterministic && threads != 1) compute.Error("threads", $"must be 1 with deterministic = on, got {threads} - several threads add numbers in changing order");
        return new ComputeSettings(threads, compute.OptionalString("libtorch"));
    }

    [GeneratedRegex("^[A-Za-z0-9_-][A-Za-z0-9._-]{0,63}$", RegexOptions.NonBacktracking | RegexOptions.ExplicitCapture)]
    private static partial Regex NamePattern();
}
