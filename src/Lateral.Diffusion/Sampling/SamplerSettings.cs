using Lateral.Core.Learning;

namespace Lateral.Diffusion.Sampling;

/// <param name="Device">for example <c>cpu</c> or <c>cuda:0</c></param>
/// <param name="Slots">S, canvases denoised at once</param>
/// <param name="Shape">fixed shapes for the deterministic mode; null = as small as the active canvases allow</param>
/// <param name="Seed">the run's seed: the root of every uniform number</param>
/// <param name="CanaryLimit">by how many nats per token the canary's score may differ from the learner's</param>
/// <param name="FirstPrompt">the training prompt of group 0: a rollout's random key is its prompt, not its place in this run</param>
public sealed record SamplerSettings(string Device, int Slots, FixedShape? Shape, ulong Seed, double CanaryLimit, long FirstPrompt = 0)
{
    /// <summary>What finished rollouts of the ledger are scored by for the learner's ratio; null = their own record is enough.</summary>
    public SurrogateSettings? Surrogate { get; init; }

    /// <summary>Tokens of one forward at most where finished rollouts of the ledger say what they would have answered at each step; null = they do not.</summary>
    public int? GuessTokens { get; init; }
}

/// <param name="Temperature">of the rollouts</param>
/// <param name="MicroBatchTokens">tokens of one forward at most</param>
public sealed record SurrogateSettings(MethodSettings Likelihood, RatioGranularity Unit, double Temperature, int MicroBatchTokens)
{
    /// <summary>What the sampler has to ship for the learner's algorithm; null = nothing.</summary>
    public static SurrogateSettings? For(LearnerSettings learner, double temperature) =>
        LikelihoodRules.ByName(learner.Likelihood.Name).Recorded || !CorrectionRules.ByName(learner.Correction.Name).HasRatio
            ? null : new(learner.Likelihood, learner.Unit, temperature, learner.MicroBatchTokens);
}
