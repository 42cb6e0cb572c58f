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

        if (learner.StepSubset > rollout.Spec.Steps && rollout.Spec.Steps > 0)
            algorithm.Error("step-subset", $"must be at most rollout.steps ({rollout.Spec.Steps}), got {learner.StepSubset} - 0 replays all of them");
        CheckEpsilon(algorithm, learner);
    }

    /// <summary>The usual bound of one granularity is meaningless in another: a mean over a completion hardly leaves 1.</summary>
    private static void CheckEpsilon(ConfigReader algorithm, LearnerSettings learner)
    {
        var rule = CorrectionRules.ByName(learner.Correction);
        if (rule.Epsilon is not { } range || range.Allows(learner.ClipEpsilon) || algorithm.Value.Find("clip-epsilon") is not ConfigScalar { Kind: ScalarKind.Number } written) return;
        var unit = rule.Granularity == RatioGranularity.Token ? "token" : "completion, normalised by its length";
        algorithm.Error(
            "clip-epsilon", $"must be {Words(range.Least)} to {Words(range.Most)} with correction = {rule.Name}, got {written.Text}: its ratio is one per {unit}, where {Words(range.UsualLeast)} to {Words(range.UsualMost)} is usual - "
            + $"write clip-epsilon = {Words(range.UsualLeast)}");
    }

    private static string Words(double value) => value.ToString("0.######", System.Globalization.CultureInfo.InvariantCulture);
}
