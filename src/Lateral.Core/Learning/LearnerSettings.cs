namespace Lateral.Core.Learning;

/// <summary>Supervised training of the base model; 0 steps keep the weights as loaded.</summary>
/// <param name="Batch">examples per step</param>
/// <param name="LearningRate">peak; warmed up over <paramref name="LrWarmup"/> steps, then cosine to a tenth</param>
public sealed record WarmupSettings(int Steps, int Batch, double LearningRate, int LrWarmup)
{
    /// <summary>What is noised and asked, see <see cref="SupervisedRules"/>.</summary>
    public MethodSettings Objective { get; init; } = MethodSettings.Of("masked");
}

/// <summary>Policy optimization on groups of rollouts; defaults and ranges stand in hocon/reference.conf.</summary>
/// <param name="Likelihood">how log pi of a rollout is computed, see <see cref="LikelihoodRules"/></param>
/// <param name="Unit">what its values, and the ratios, are about</param>
/// <param name="Correction">what a stale rollout's loss is, see <see cref="CorrectionRules"/></param>
/// <param name="Schedule"><c>constant</c>, <c>linear</c> or <c>cosine</c> decay to <paramref name="FinalFraction"/> of the peak at the run's last step</param>
/// <param name="Updates">optimizer updates per batch</param>
/// <param name="Shards">fixed gradient shards a batch is cut into; the weights depend on it, never on ranks or micro-batches</param>
/// <param name="MicroBatchTokens">tokens of one forward at most</param>
/// <param name="MaxGradNorm">global L2 norm the gradient is clipped to; 0 = off</param>
public sealed record LearnerSettings(
    MethodSettings Likelihood, RatioGranularity Unit, MethodSettings Correction, string Advantage,
    double LearningRate, int LrWarmup, string Schedule, double FinalFraction,
    double Beta1, double Beta2, double AdamEpsilon, double WeightDecay, double MaxGradNorm,
    int Updates, int Shards, int MicroBatchTokens)
{
    /// <summary>A forward keeps what enters each block only, and the way back computes the blocks again.</summary>
    public bool ActivationCheckpointing { get; init; }

    /// <summary>What keeps the policy near another one.</summary>
    public KlSettings Kl { get; init; } = KlSettings.None;

    /// <summary>Which policy learns where the model has two.</summary>
    public TrainedPolicy Train { get; init; }

    /// <summary>Learning rate of the unmasking policy over that of the token policy.</summary>
    public double UnmaskingRate { get; init; } = 1;

    /// <summary>The value model; null where the advantage needs none.</summary>
    public CriticSettings? Critic { get; init; }

    /// <summary>w of <see cref="StepReturn"/>: what a step earns beside the reward for what it has made better.</summary>
    public double GuessWeight { get; init; } = 1;

    /// <summary>Whether finished rollouts say what they would have answered at each step.</summary>
    public bool NeedsGuesses => Advantage == Advantages.StepReturn;

    /// <summary>Whether the policy that the run began with is asked, too.</summary>
    public bool HasReference => CorrectionRules.ByName(Correction.Name).Preference || Kl is { Coefficient: > 0, Anchor: "reference" };
}

/// <summary>A penalty on how far the policy is from another one.</summary>
/// <param name="Coefficient">weight of the penalty of one unit; 0 = none</param>
/// <param name="Estimator"><c>k1</c> = log pi - log anchor, <c>k2</c> = its square / 2, <c>k3</c> = exp(-k1) - 1 + k1 (Schulman, "Approximating KL divergence", 2020)</param>
/// <param name="Anchor"><c>reference</c> = the policy that the run began with, <c>old</c> = the one that sampled</param>
public sealed record KlSettings(double Coefficient, string Estimator, string Anchor)
{
    public static IReadOnlyCollection<string> Estimators { get; } = ["k1", "k2", "k3"];

    public static IReadOnlyCollection<string> Anchors { get; } = ["reference", "old"];

    public static KlSettings None { get; } = new(0, "k3", "reference");
}

/// <summary>The policies of a model whose order of revealing is learned.</summary>
public enum TrainedPolicy
{
    Both,

    /// <summary>What stands under a mask.</summary>
    Token,

    /// <summary>Which masks fall.</summary>
    Unmasking,
}
