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
}

/// <summary>What the probability of a step's set is.</summary>
public enum SelectionLaw
{
    /// <summary>1, or free of the weights.</summary>
    Free,

    /// <summary>That of an ordered draw, <see cref="Likelihoods.PlackettLuce"/>.</summary>
    PlackettLuce,

    /// <summary>That of the surest sampled tokens, <see cref="Likelihoods.LowConfidence"/>.</summary>
    LowConfidence,
}

/// <summary>
/// Which candidates a denoising step reveals: a law over sets that sees the token distributions and never the sampled
/// tokens, so that P(step) = P(set) * product over the set of P(token).
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
    bool Ordered => Law == SelectionLaw.PlackettLuce;

    /// <summary>Fills <paramref name="chosen"/> with the [K] candidate indices to reveal, ascending or in the order of the draw.</summary>
    /// <returns>natural log-probability of the chosen set</returns>
    float Select(in CandidateStatistics candidates, Span<int> chosen);
}

/// <summary>Selection policies by their configuration name.</summary>
public static class SelectionPolicies
{
    public static IReadOnlyList<string> Names => RevealRules.Names;

    /// <exception cref="ArgumentException">no such policy</exception>
    public static ISelectionPolicy ByName(string name) => name switch
    {
        "max-prob" => new SurestReveal("max-prob", Certainty.MaxProbability),
        "entropy" => new SurestReveal("entropy", Certainty.NegativeEntropy),
        "margin" => new SurestReveal("margin", Certainty.Margin),
        "random" => new RandomReveal(),
        "left-to-right" => new LeftToRightReveal(),
        "plackett-luce" => new PlackettLuceReveal(),
        "low-confidence" => new LowConfidenceReveal(),
        _ => throw new ArgumentException($"unknown reveal '{name}'; one of: {string.Join(", ", Names)}", nameof(name)),
    };
}
