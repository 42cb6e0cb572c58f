using Lateral.Core.Rollouts;

namespace Lateral.Diffusion.Sampling;

/// <summary>The candidates of one canvas at one step: the masked positions of its active block, ascending.</summary>
/// <param name="certainty">[C] the policy's statistic of the position's untempered token distribution, MASK excluded</param>
/// <param name="uniforms">[C] one uniform number per candidate; empty where the policy draws none</param>
public readonly ref struct CandidateStatistics(ReadOnlySpan<float> certainty, ReadOnlySpan<double> uniforms)
{
    public ReadOnlySpan<float> Certainty { get; } = certainty;

    public ReadOnlySpan<double> Uniforms { get; } = uniforms;

    public int Count => Certainty.Length;
}

/// <summary>How sure a token distribution is: what a reveal rule may ask of it.</summary>
public enum Certainty
{
    /// <summary>The largest probability.</summary>
    MaxProbability,

    /// <summary>Minus the entropy, in nats.</summary>
    NegativeEntropy,

    /// <summary>The largest probability less the second largest.</summary>
    Margin,

    /// <summary>The probability of the token that was sampled.</summary>
    SampledToken,

    /// <summary>The natural log of the same: of an improbable token, where the probability itself would be 0.</summary>
    LogOfSampledToken,

    /// <summary>The score that the model's unmasking policy gives the position: no statistic of its distribution.</summary>
    UnmaskingScore,
}

/// <summary>
/// Which candidates a denoising step reveals: a law over sets. Where it sees the token distributions and never the sampled tokens, P(step) = P(set) * product over
/// the set of P(token); where it sees them, its <see cref="Law"/> says what the tokens that stay masked add.
/// </summary>
public interface ISelectionPolicy
{
    string Name { get; }

    Exactness Exactness { get; }

    /// <summary>The statistic that <see cref="Select"/> is given.</summary>
    Certainty Asks => Certainty.MaxProbability;

    /// <summary>Whether <see cref="Select"/> needs a uniform number per candidate.</summary>
    bool Draws { get; }

    SelectionLaw Law => SelectionLaw.Free;

    /// <summary>Whether the order of the chosen ones is part of what <see cref="Select"/> draws.</summary>
    bool Ordered => RevealRules.ByName(Name).Ordered;

    /// <summary>How many candidates it dares to reveal at once: what a step reveals where that is more than its share.</summary>
    int Dares(in CandidateStatistics candidates) => 0;

    /// <summary>Whether a step may reveal more than its share: a rollout then has as many steps as it needs.</summary>
    bool Adaptive => false;

    /// <summary>Fills <paramref name="chosen"/> with the [K] candidate indices to reveal, ascending or in the order of the draw.</summary>
    /// <returns>natural log-probability of the chosen set</returns>
    float Select(in CandidateStatistics candidates, Span<int> chosen);
}

/// <summary>Selection policies by their configuration name.</summary>
public static class SelectionPolicies
{
    public static IReadOnlyList<string> Names => RevealRules.Names;

    /// <exception cref="ArgumentException">no such policy</exception>
    public static ISelectionPolicy Of(RolloutSpec spec) => ByName(spec.Reveal, spec.RevealLimit, spec.Temperature == 0, spec.StepsPerBlock);

    /// <param name="limit">of the rules that have one</param>
    /// <param name="greedy">tokens are not drawn, and neither is what a learned policy reveals</param>
    /// <param name="stepsPerBlock">the most</param>
    /// <exception cref="ArgumentException">no such policy</exception>
    public static ISelectionPolicy ByName(string name, double limit = 0, bool greedy = false, int stepsPerBlock = 1) => name switch
    {
        "threshold" => new ThresholdReveal(limit),
        "entropy-bounded" => new EntropyBoundedReveal(limit),
        "max-prob" => new SurestReveal("max-prob", Certainty.MaxProbability),
        "entropy" => new SurestReveal("entropy", Certainty.NegativeEntropy),
        "margin" => new SurestReveal("margin", Certainty.Margin),
        "random" => new RandomReveal(),
        "left-to-right" => new LeftToRightReveal(),
        "plackett-luce" => new PlackettLuceReveal(),
        "plackett-luce-sampled" => new PlackettLuceSampledReveal(greedy),
        "low-confidence" => new LowConfidenceReveal(),
        "unmasking-policy" => new UnmaskingPolicyReveal(greedy),
        "bernoulli" => new BernoulliReveal(greedy, stepsPerBlock),
        _ => throw new ArgumentException($"unknown reveal '{name}'; one of: {string.Join(", ", Names)}", nameof(name)),
    };
}
