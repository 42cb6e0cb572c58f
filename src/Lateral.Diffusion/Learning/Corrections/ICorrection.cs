using Lateral.Core.Learning;
using Lateral.Diffusion.Likelihoods;
using static TorchSharp.torch;

namespace Lateral.Diffusion.Learning.Corrections;

/// <param name="Loss_U">[U] loss of each unit, differentiable in the current log-probs</param>
/// <param name="Clipped_U">[U] bool: the unit's gradient was cut to zero</param>
public readonly record struct CorrectedLoss(Tensor Loss_U, Tensor Clipped_U);

/// <summary>
/// Turns log-probs into a policy-gradient loss that stays right when the rollouts were sampled by older weights. A pure
/// function of U units (tokens, steps or completions, as the likelihood has them); the caller weights, sums and divides.
/// </summary>
/// <remarks>
/// Only what the likelihood counts enters. The selection ratio is exactly 1 for a reveal whose law is free of the weights (random) and
/// taken as 1 for a deterministic one (max-prob), which is exact on-policy only.
/// </remarks>
public interface ICorrection
{
    string Name { get; }

    /// <summary>
    /// Whether unit i's loss depends on unit i alone. Then micro-batches backpropagate one by one; otherwise the loss needs all
    /// log-probs of the shard first and the gradient is replayed.
    /// </summary>
    bool Separable { get; }

    /// <param name="logp_U">log pi, current policy, natural</param>
    /// <param name="units">log mu, as the sampler recorded it, the advantage of the unit's trajectory, and what else is known of each</param>
    CorrectedLoss Apply(Tensor logp_U, DeviceUnits units);
}

/// <summary>Corrections by their configuration name.</summary>
public static class CorrectionCatalogue
{
    public static IReadOnlyList<string> Names => CorrectionRules.Names;

    /// <exception cref="ArgumentException">no such correction, or a bound out of its range</exception>
    public static ICorrection Create(MethodSettings method) => method.Name switch
    {
        "behaviour-clip" => new BehaviourClip(BehaviourClipSettings.From(method)),
        "dppo-tv" => new DppoTv(DppoTvSettings.From(method)),
        "decoupled" => new Decoupled(DecoupledSettings.From(method), logLinear: false),
        "decoupled-log-linear" => new Decoupled(DecoupledSettings.From(method), logLinear: true),
        "tis" => new TruncatedSampling(TruncatedSamplingSettings.From(method)),
        "icepop" => new IcePop(IcePopSettings.From(method)),
        "mis" => new MaskedSequences(MaskedSequencesSettings.From(method), geometric: false),
        "mis-geometric" => new MaskedSequences(MaskedSequencesSettings.From(method), geometric: true),
        "opsm" => new OffPolicyMasking(OffPolicyMaskingSettings.From(method)),
        "cispo" => new Cispo(CispoSettings.From(method)),
        "gspo" => new Gspo(GspoSettings.From(method)),
        "topr" => new Topr(),
        "m2po" => new M2po(M2poSettings.From(method)),
        "sapo" => new Sapo(SapoSettings.From(method)),
        "log-clip" => new LogClip(LogClipSettings.From(method)),
        "linear-exp" => new LinearExp(BehaviourClipSettings.From(method)),
        "dpo" => new DirectPreference(PreferenceSettings.From(method)),
        "kto" => new UnpairedPreference(PreferenceSettings.From(method)),
        "none" => new Uncorrected(),
        var name => throw new ArgumentException($"unknown correction '{name}'; one of: {string.Join(", ", Names)}", nameof(method)),
    };
}
