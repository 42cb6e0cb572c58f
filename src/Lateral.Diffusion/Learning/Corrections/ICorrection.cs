using Lateral.Core.Learning;
using static TorchSharp.torch;

namespace Lateral.Diffusion.Learning.Corrections;

/// <param name="Loss_N">[N] loss of each token, differentiable in the current log-probs</param>
/// <param name="Clipped_N">[N] bool: the token's gradient was cut to zero</param>
public readonly record struct CorrectedLoss(Tensor Loss_N, Tensor Clipped_N);

/// <summary>
/// Turns log-probs into a policy-gradient loss that stays right when the tokens were sampled by older weights. A pure
/// function of N tokens; the caller weights, sums and divides.
/// </summary>
/// <remarks>
/// Only token log-probs enter. The selection ratio is exactly 1 for a reveal whose law is free of the weights (random) and
/// taken as 1 for a deterministic one (max-prob), which is exact on-policy only.
/// </remarks>
public interface ICorrection
{
    string Name { get; }

    /// <summary>
    /// Whether token i's loss depends on token i alone. Then micro-batches backpropagate one by one; otherwise the loss needs all
    /// log-probs first and the gradient is replayed.
    /// </summary>
    bool Separable { get; }

    /// <param name="logp_N">log pi, current policy, natural</param>
    /// <param name="behaviour_N">log mu, as the sampler recorded it</param>
    /// <param name="advantage_N">A, of the token's trajectory</param>
    CorrectedLoss Apply(Tensor logp_N, Tensor behaviour_N, Tensor advantage_N);
}

/// <summary>Corrections by their configuration name.</summary>
public static class CorrectionCatalogue
{
    public static IReadOnlyList<string> Names => CorrectionRules.Names;

    /// <exception cref="ArgumentException">no such correction, or a bound out of its range</exception>
    public static ICorrection Create(LearnerSettings settings) => settings.Correction switch
    {
        "behaviour-clip" => new BehaviourClip(settings.ClipEpsilon, settings.DualClip),
        "none" => new Uncorrected(),
        var name => throw new ArgumentException($"unknown correction '{name}'; one of: {string.Join(", ", Names)}", nameof(settings)),
    };
}
