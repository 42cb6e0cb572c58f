using Lateral.Configuration;
using Lateral.Core.Learning;
using Lateral.Core.Policies;
using Lateral.Core.Rollouts;
using Lateral.Core.Runs;

namespace Lateral.Actors.Settings;

/// <summary>A model that sees only what stands before a position writes one token after the other, and its likelihood is the product of theirs: nothing else means anything of it.</summary>
internal static class CausalRules
{
    public static void Check(ConfigReader config, ModelSettings model, WarmupSettings warmup, RolloutSettings rollout, LearnerSettings learner)
    {
        var objective = SupervisedRules.ByName(warmup.Objective.Name);
        if (warmup.Steps > 0 && objective.Causal != model.Causal)
        {
            config.Section("warmup").Error("objective", model.Causal
                ? $"must be next-token with model.attention = causal, got {objective.Name}: it never sees what stands behind a mask - write objective = next-token"
                : $"must be another than {objective.Name} with model.attention = full: a model that sees the answer has nothing to learn from it - write objective = masked, or model.attention = causal");
        }

        if (!model.Causal) return;
        var (section, algorithm, spec) = (config.Section("rollout"), config.Section("algorithm"), rollout.Spec);
        if (spec.Reveal != "left-to-right") section.Error("reveal", $"must be left-to-right with model.attention = causal, got {spec.Reveal}: no position sees what stands behind it - write reveal = left-to-right");
        else if (spec.Steps != spec.GenLength) section.Error("steps", $"must be gen-length ({spec.GenLength}) with model.attention = causal, got {spec.Steps}: a token follows from the one before it - write steps = null");
        if (spec.Hints is not null) section.Section("hints").Error("rollouts", "must be 0 with model.attention = causal: it sees nothing of what is given behind a position - write rollouts = 0");
        var likelihood = LikelihoodRules.ByName(learner.Likelihood.Name);
        if (!likelihood.Recorded) algorithm.Error("likelihood", $"must be trajectory with model.attention = causal, got {likelihood.Name}: it never learned to fill other masks than the next - write likelihood = trajectory");
        if (learner.NeedsGuesses) algorithm.Error("advantage", $"must be another than {learner.Advantage} with model.attention = causal: it cannot answer at once - write advantage = group-z");
    }
}
