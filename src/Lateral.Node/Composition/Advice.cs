using System.Globalization;
using Lateral.Core;
using Lateral.Core.Learning;
using Lateral.Core.Policies;
using Lateral.Core.Rollouts;
using Lateral.Core.Runs;
using Lateral.Diffusion.Models;

namespace Lateral.Node.Composition;

/// <summary>Settings that are allowed and that somebody may not have meant.</summary>
internal static class Advice
{
    public static IEnumerable<string> On(RunSettings settings)
    {
        var learner = settings.Learner;
        if (settings.Warmup.Steps > 0 && SupervisedRules.ByName(settings.Warmup.Objective.Name).ByBlock && settings.Rollout.Spec.Blocks == 1)
            yield return $"warmup.objective = {settings.Warmup.Objective.Name} with one block: it is masked's; write rollout.block-length for smaller ones";
        if (settings is { SupervisedOnly: true, Warmup.Steps: 0 }) yield return "run.steps = 0 and warmup.steps = 0: nothing is trained, the base is only evaluated";
        if (learner.Correction.Name == "none" && settings.MaxStaleness >= 2)
            yield return $"algorithm.correction = none at staleness.max-versions = {settings.MaxStaleness}: uncorrected rollouts this old destroy training at usual learning rates";
        if (settings.MaxStaleness > 4) yield return $"staleness.max-versions = {settings.MaxStaleness}: more than 4 is seldom worth it";
        if (learner.Likelihood.Knobs.GetValueOrDefault("step-subset") is > 0 and var subset) yield return $"algorithm.step-subset = {subset}: ratio/ess and kl/behaviour are estimates";
        if (settings is { SupervisedOnly: false, Warmup.Steps: 0, Model.Path: null }) yield return "warmup.steps = 0 without model.path: reinforcement learning starts from random weights";
        if (settings.Model.Path is { } path && !File.Exists(Path.Combine(path, "config.json"))) yield return $"model.path = {path}: no config.json is there now; a run could not start from it";
        if (RunData.Missing(settings) is { } rows) yield return $"data: {rows} is not there now; a run could not start from it";
        foreach (var note in OnAdapter(settings.Model)) yield return note;
        if (settings.Deterministic) yield return "deterministic = on: reproducible bit for bit on one instruction set, at some cost in throughput";
        if (settings.SupervisedOnly) yield break;
        if (settings.StepCost > 0 && !RevealRules.ByName(settings.Rollout.Spec.Reveal).Adaptive && !settings.Rollout.Spec.StopAtEnd)
            yield return $"reward.step-cost = {Number(settings.StepCost)} with rollout.reveal = {settings.Rollout.Spec.Reveal}: every rollout takes the same steps, so it only makes all rewards smaller";
        if (settings.Evaluation.Every == 0) yield return "eval.every = 0: evaluated only before and after";
        foreach (var note in OnRatios(settings).Concat(OnShards(settings)).Concat(OnDevices(settings))) yield return note;
    }

    /// <summary>What a list of targets leaves out, or takes in that nobody may have meant.</summary>
    private static IEnumerable<string> OnAdapter(ModelSettings model)
    {
        if (model is not { Adapter: { } adapter, Path: { } path } || !File.Exists(Path.Combine(path, ModelStore.ConfigFile)) || (adapter.Path is null && adapter.Targets.IsEmpty)) yield break;
        var spec = ModelFolder.Explain("model.path", () => ModelStore.ReadSpec(path));
        var settings = ModelFolder.Explain("model.adapter.path", () => LoraSettings.Of(adapter, spec, path));
        var (who, advice) = adapter.Path is null ? ($"model.adapter.targets = [{string.Join(", ", adapter.Targets)}]", "; [] adapts every linear map of the blocks") : ($"model.adapter.path = {adapter.Path}", "");
        foreach (var warning in LoraAdapter.Warnings(spec, settings)) yield return $"{who}: {warning}{advice}";
        if (settings.Dropout > 0) yield return $"{who}: its lora_dropout of {Number(settings.Dropout)} is left out, training has none here";
    }

    /// <summary>What the sampler does to the distribution against what the likelihood replays, and the trust region against its ratio.</summary>
    private static IEnumerable<string> OnRatios(RunSettings settings)
    {
        var (learner, spec) = (settings.Learner, settings.Rollout.Spec);
        var (correction, likelihood) = (CorrectionRules.ByName(learner.Correction.Name), LikelihoodRules.ByName(learner.Likelihood.Name));
        var unit = Granularities.Words(correction.Unit ?? learner.Unit);
        // With one update a batch of fresh rollouts meets the weights that sampled it.
        var offPolicy = settings.MaxStaleness > 0 || learner.Updates > 1;
        switch (RatioExactness.Of(RevealRules.ByName(spec.Reveal), likelihood, learner.Unit, correction))
        {
            case RatioWorth.ExactOnPolicyOnly when offPolicy && likelihood.TwoStage:
                yield return $"likelihood = {likelihood.Name} with reveal = {spec.Reveal} and {correction.Name}: importance ratios are exact on-policy only; those of a step's tokens and of its draw are halves of one (likelihood = trajectory with granularity = step is whole)";
                break;
            case RatioWorth.ExactOnPolicyOnly when offPolicy:
                yield return $"rollout.reveal = {spec.Reveal} with {correction.Name}: importance ratios are exact on-policy only; they leave out that newer weights may reveal other positions (reveal = random is exact)";
                break;
            case RatioWorth.Approximate:
                yield return $"likelihood = {likelihood.Name} per {unit} with reveal = {spec.Reveal} and {correction.Name}: importance ratios are approximate";
                break;
        }

        if (likelihood.TwoStage && !RevealRules.ByName(spec.Reveal).HasFactor)
            yield return $"likelihood = {likelihood.Name} with reveal = {spec.Reveal}: its draws have no factor, so this is likelihood = trajectory";
        if (correction.HasProximal && learner.Updates == 1)
            yield return $"correction = {correction.Name} with algorithm.updates = 1: the policy that a step begins with is the one it trains, so its clip is inactive and only the weight by the behaviour policy works";
        if (correction.HasEpsilon && EpsilonRange.Of(correction.Unit ?? learner.Unit) is var usual && learner.Correction["clip-epsilon"] is var epsilon && !usual.IsUsual(epsilon))
            yield return $"algorithm.clip-epsilon = {Number(epsilon)}: {Number(usual.UsualLeast)} to {Number(usual.UsualMost)} is usual for {correction.Name}, whose ratio is one per {unit}";
    }

    /// <summary>Groups are dealt whole to shards, so a divisor makes them even.</summary>
    private static IEnumerable<string> OnShards(RunSettings settings)
    {
        var (groups, shards) = (settings.Rollout.GroupsPerStep, settings.Learner.Shards);
        if (shards > groups) yield return $"learner.shards = {shards} of {groups} prompts a step: {shards - groups} shards are empty; write learner.shards = {groups}";
        else if (groups % shards != 0)
            yield return $"learner.shards = {shards} of {groups} prompts a step: shards of {groups / shards} and {(groups / shards) + 1} prompts; even with {Divisors.Advice(groups, shards)}";
    }

    private static IEnumerable<string> OnDevices(RunSettings settings)
    {
        var topology = settings.Topology;
        var used = topology.SamplerDevices.Append(topology.LearnerDevice).Where(device => device != "cpu").Distinct().Count();
        if (topology.GpusPerNode is { } total && used < total) yield return $"topology.gpus-per-node = {total}: the roles use {used} of them";
        if (used > 0 && topology.SamplerDevices.Contains("cpu")) yield return "topology.roles.sampler.devices has cpu besides CUDA devices: a sampler that slow delays every batch; cpu = null removes it";
    }

    private static string Number(double value) => value.ToString("0.######", CultureInfo.InvariantCulture);
}
