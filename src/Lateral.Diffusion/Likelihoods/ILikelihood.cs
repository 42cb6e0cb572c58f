using Lateral.Core;
using Lateral.Core.Learning;
using Lateral.Core.Rollouts;
using Lateral.Diffusion.Tensors;
using static TorchSharp.torch;

namespace Lateral.Diffusion.Likelihoods;

/// <summary>
/// How log pi of a rollout is computed or estimated: which canvases the model sees again, what it is asked there, and how the answers
/// add up to one value a unit (a token, a denoising step or the whole completion).
/// </summary>
/// <remarks>
/// The plan is a pure function of the trajectory and of its key, so sampler, learner, every rank and every restart score the same
/// canvases, whatever else is in their batches. N answers, U units.
/// </remarks>
public interface ILikelihood
{
    string Name { get; }

    /// <summary>What a value, and with it an importance ratio, is about.</summary>
    RatioGranularity Unit { get; }

    /// <summary>
    /// Whether the sampler's own record is the behaviour's value. A surrogate is another quantity than what was sampled from: the sampler
    /// then has to score the finished rollout by this same plan.
    /// </summary>
    bool Recorded { get; }

    /// <summary>Whether every unit is answered by one view: then micro-batches have whole units.</summary>
    bool Separable { get; }

    LikelihoodPlan Plan(Trajectory trajectory, in PlanKey key);

    /// <param name="logp_N">answers, natural log</param>
    /// <returns>[U] the units' values, differentiable in the answers</returns>
    Tensor Combine(Tensor logp_N, DeviceQuestions questions, DeviceUnits units);
}

/// <summary>What a plan may depend on beside its trajectory.</summary>
/// <param name="FirstPrompt">the training prompt of group 0: draws are keyed by the prompt, not by its place in a run</param>
/// <param name="LearnerStep">only for what the learner decides by itself, such as a subset of the states; 0 at the sampler</param>
public readonly record struct PlanKey(CounterRandom Random, long FirstPrompt, int LearnerStep)
{
    /// <summary>A uniform number in [0, 1) of a mask plan.</summary>
    /// <param name="draw">which of the rollout's masks</param>
    public double Uniform(RolloutId id, int position, int draw) => Random.Uniform(RandomStream.MaskPlan, FirstPrompt + id.Group, id.Sibling, draw, position);
}

/// <summary>Values that are sums of answers, each times its coefficient: all but the bounds.</summary>
public static class LinearCombination
{
    /// <inheritdoc cref="ILikelihood.Combine"/>
    public static Tensor Of(Tensor logp_N, DeviceQuestions questions, DeviceUnits units) =>
        questions.OneToOne ? logp_N : zeros([units.Count], logp_N.dtype, logp_N.device).PlusAt(questions.Unit_N, logp_N.Times(questions.Coefficient_N));
}
