using Lateral.Core.Runs;

namespace Lateral.Node.Composition;

/// <summary>Settings that are allowed and that somebody may not have meant.</summary>
internal static class Advice
{
    public static IEnumerable<string> On(RunSettings settings)
    {
        var learner = settings.Learner;
        if (learner.Correction == "none" && settings.MaxStaleness >= 2)
            yield return $"algorithm.correction = none at staleness.max-versions = {settings.MaxStaleness}: uncorrected rollouts this old destroy training at usual learning rates";
        if (settings.MaxStaleness > 4) yield return $"staleness.max-versions = {settings.MaxStaleness}: more than 4 is seldom worth it";
        if (learner.StepSubset > 0) yield return $"algorithm.step-subset = {learner.StepSubset}: ratio/ess and kl/behaviour are estimates";
        if (settings.Warmup.Steps == 0 && settings.Model.Path is null) yield return "warmup.steps = 0 without model.path: reinforcement learning starts from random weights";
        if (settings.Deterministic) yield return "deterministic = on: reproducible bit for bit on one instruction set, at some cost in throughput";
        if (settings.Evaluation.Every == 0) yield return "eval.every = 0: evaluated only before and after";
    }
}
