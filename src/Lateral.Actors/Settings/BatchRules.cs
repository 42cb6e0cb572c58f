using Lateral.Configuration;
using Lateral.Core;
using Lateral.Core.Learning;
using Lateral.Core.Rollouts;
using Lateral.Core.Runs;

namespace Lateral.Actors.Settings;

/// <summary>Rules between the sections: prompts, rollouts and tokens have to fit each other, and a trust region its ratio.</summary>
internal static class BatchRules
{
    public static void Check(ConfigReader config, RolloutSettings rollout, LearnerSettings learner)
    {
        var (learnerSection, algorithm) = (config.Section("learner"), config.Section("algorithm"));
        var rollouts = rollout.GroupsPerStep * rollout.GroupSize;
        if (learner.Shards > rollouts && rollouts > 0)
        {
            learnerSection.Error("shards", $"must be at most the {rollouts} rollouts of a batch ({rollout.GroupsPerStep} groups x {rollout.GroupSize}), got {learner.Shards}"
                + $" - write shards = {Divisors.Near(rollout.GroupsPerStep, learner.Shards).Below}, which deals whole groups");
        }

        if (learner.MicroBatchTokens <= rollout.Spec.GenLength)
        {
            learnerSection.Error("micro-batch-tokens", $"must hold one rollout: more than rollout.gen-length ({rollout.Spec.GenLength}) and the prompt, got {learner.MicroBatchTokens}"
                + $" - write micro-batch-tokens = {Math.Max(16_384, 4 * rollout.Spec.GenLength)}");
        }

        if (learner.Likelihood.Knobs.TryGetValue("step-subset", out var subset)) CheckSubset(algorithm, rollout, learner, (int)subset);
        var correction = CorrectionRules.ByName(learner.Correction.Name);
        CheckLikelihood(algorithm, learner, correction);
        if (RevealRules.All.FirstOrDefault(rule => rule.Name == rollout.Spec.Reveal) is { } reveal) CheckOrder(algorithm, learner, reveal);
        if (rollout.Spec.Hints is not null) CheckHints(config.Section("rollout").Section("hints"), rollout, learner);
        if (correction.HasEpsilon) CheckEpsilon(config, learner, correction);
        if (learner.Correction.Knobs.TryGetValue("dual-clip", out var dual) && dual != 0 && dual <= 1 + learner.Correction["clip-epsilon"])
            Where(config, correction, "dual-clip").Error("dual-clip", $"must be 0 (off) or above 1 + clip-epsilon ({Text(1 + learner.Correction["clip-epsilon"])}), got {Text(dual)} - write dual-clip = 3");
        var ranks = learnerSection.Int("ranks", 1, 1024);
        if (correction.HasProximal && learner.Updates > 1 && ranks > 1)
            learnerSection.Error("ranks", $"must be 1 with correction = {correction.Name} and algorithm.updates = {learner.Updates}: only the rank that computed a shard in the first update knows what its policy thought of it - write ranks = 1, or updates = 1");
        if (learner.HasReference && ranks > 1)
            learnerSection.Error("ranks", $"must be 1 with {(correction.Preference ? $"correction = {correction.Name}" : "kl.anchor = reference")}: the reference policy is on the learner's node only - write ranks = 1");
        if (learner.Critic is not null && ranks > 1)
            learnerSection.Error("ranks", $"must be 1 with algorithm.advantage = {learner.Advantage}, got {ranks}: the value model is on the learner's device only - write ranks = 1, or advantage = group-z");
        if (!Advantages.OfGroups.Contains(learner.Advantage) && learner.Unit is RatioGranularity.Sequence or RatioGranularity.SequenceSum)
        {
            var what = learner.NeedsGuesses ? "a return is one of a step, and a completion has but one loss" : "a value is one of a token, and no baseline of a whole completion that holds it";
            algorithm.Error("advantage", $"must be one of groups with granularity = {Granularities.NameOf(learner.Unit)}, got {learner.Advantage}: {what} - write granularity = token, or advantage = group-z");
        }

        if (correction.Preference && learner.Unit is not (RatioGranularity.Sequence or RatioGranularity.SequenceSum))
            algorithm.Error("granularity", $"must be sequence-sum with correction = {correction.Name}, got {Granularities.NameOf(learner.Unit)}: it compares whole completions - write granularity = sequence-sum");
        if (learner.Kl is { Coefficient: > 0, Anchor: "old" } && !LikelihoodRules.ByName(learner.Likelihood.Name).Recorded && !correction.HasRatio)
            algorithm.Section("kl").Error("anchor", $"must be reference with likelihood = {learner.Likelihood.Name} and correction = {correction.Name}: no sampler computes what the old policy thought of it - write anchor = reference");
    }

    private static void CheckLikelihood(ConfigReader algorithm, LearnerSettings learner, CorrectionRule correction)
    {
        var likelihood = learner.Likelihood;
        if (likelihood.Knobs.TryGetValue("mask-low", out var low) && low > likelihood["mask-high"])
            algorithm.Error("likelihood", $"= {likelihood.Name} has mask-low {Text(low)} above mask-high {Text(likelihood["mask-high"])} - write mask-low = {Text(Math.Min(low, likelihood["mask-high"]))}");
        if (likelihood.Name == "sandwich" && correction.HasRatio)
            algorithm.Error("correction", $"must be none with likelihood = sandwich, got {correction.Name}: a bound that depends on the reward's sign has no ratio - write correction = none");
        if (correction.Name == "dppo-tv" && learner.Unit is RatioGranularity.Sequence or RatioGranularity.SequenceSum)
            algorithm.Error("correction", $"must be another than dppo-tv with granularity = {Granularities.NameOf(learner.Unit)}: its limit is one on a token's probability - write correction = behaviour-clip");
    }

    /// <summary>What a rollout was given is no part of its probability: that is known of what was recorded, in an order whose law does not depend on what is left.</summary>
    private static void CheckHints(ConfigReader hints, RolloutSettings rollout, LearnerSettings learner)
    {
        if (!LikelihoodRules.ByName(learner.Likelihood.Name).Recorded) hints.Error("rollouts", $"must be 0 with algorithm.likelihood = {learner.Likelihood.Name}: its masks would ask about tokens that were given - write rollouts = 0, or algorithm.likelihood = trajectory");
        else if (RevealRules.All.FirstOrDefault(rule => rule.Name == rollout.Spec.Reveal) is { HasFactor: true }) hints.Error("rollouts", $"must be 0 with rollout.reveal = {rollout.Spec.Reveal}: the order is part of what is learned from, and hints would change it - write rollouts = 0, or rollout.reveal = max-prob");
        else if (learner.Critic is not null) hints.Error("rollouts", $"must be 0 with algorithm.advantage = {learner.Advantage}: a critic would learn to foresee what was given - write rollouts = 0, or algorithm.advantage = group-z");
    }

    /// <summary>An order that learns has to be part of what is learned from.</summary>
    private static void CheckOrder(ConfigReader algorithm, LearnerSettings learner, RevealRule reveal)
    {
        if (!reveal.AsksUnmaskingPolicy)
        {
            if (learner.Train != TrainedPolicy.Both) algorithm.Error("train", $"must be both with rollout.reveal = {reveal.Name}: only a model whose order is learned has two policies - write train = both, or rollout.reveal = unmasking-policy");
            return;
        }

        var likelihood = LikelihoodRules.ByName(learner.Likelihood.Name);
        if (learner.Train == TrainedPolicy.Token || (likelihood.Recorded && (likelihood.TwoStage || learner.Unit is RatioGranularity.Step or RatioGranularity.SequenceSum))) return;
        if (!likelihood.Recorded) algorithm.Error("likelihood", $"must be trajectory with rollout.reveal = {reveal.Name}, got {likelihood.Name}: the order is no part of an estimate, so nothing would teach it - write likelihood = trajectory, or train = token");
        else algorithm.Error("granularity", $"must be step or sequence-sum with rollout.reveal = {reveal.Name}, got {Granularities.NameOf(learner.Unit)}: the order is no part of it, so nothing would teach it - write granularity = step, or train = token");
    }

    private static void CheckSubset(ConfigReader algorithm, RolloutSettings rollout, LearnerSettings learner, int subset)
    {
        if (subset > rollout.Spec.Steps && rollout.Spec.Steps > 0)
            algorithm.Error("step-subset", $"must be at most rollout.steps ({rollout.Spec.Steps}), got {subset} - 0 replays all of them");
        if (subset > 0 && learner.Unit is RatioGranularity.Sequence or RatioGranularity.SequenceSum)
            algorithm.Error("step-subset", $"must be 0 with granularity = {Granularities.NameOf(learner.Unit)}, got {subset}: the loss of a completion is no sum over its steps - write step-subset = 0, or granularity = token");
    }

    /// <summary>The usual bound of one granularity is meaningless in another: a mean over a completion hardly leaves 1.</summary>
    private static void CheckEpsilon(ConfigReader config, LearnerSettings learner, CorrectionRule rule)
    {
        var unit = rule.Unit ?? learner.Unit;
        var (range, epsilon) = (EpsilonRange.Of(unit), learner.Correction["clip-epsilon"]);
        var section = Where(config, rule, "clip-epsilon");
        if (range.Allows(epsilon) || section.Value.Find("clip-epsilon") is not ConfigScalar { Kind: ScalarKind.Number } written) return;
        var words = Granularities.Words(unit);
        section.Error(
            "clip-epsilon", $"must be {Words(range.Least)} to {Words(range.Most)} with correction = {rule.Name}, got {written.Text}: its ratio is one per {words}, where {Words(range.UsualLeast)} to {Words(range.UsualMost)} is usual - "
            + $"write clip-epsilon = {Words(range.UsualLeast)}");
    }

    /// <summary>Where a correction's knob was written, or has its default.</summary>
    private static ConfigReader Where(ConfigReader config, CorrectionRule rule, string knob) =>
        config.Section("algorithm") is var algorithm && algorithm.Has(knob) ? algorithm : config.Section("corrections").Section(rule.Name);

    private static string Words(double value) => value.ToString("0.######", System.Globalization.CultureInfo.InvariantCulture);

    private static string Text(double value) => value.ToString("R", System.Globalization.CultureInfo.InvariantCulture);
}
