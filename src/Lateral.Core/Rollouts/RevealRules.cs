namespace Lateral.Core.Rollouts;

/// <summary>How much of a selection policy's probability a recorded trajectory holds.</summary>
public enum Exactness
{
    /// <summary>Normalised, zero score, and the importance ratio is unbiased under any other weights.</summary>
    OnAndOffPolicy,

    /// <summary>
    /// Normalised with zero score under the weights that sampled; under other weights the same state may reveal a set that the old ones
    /// never did, so the ratio is biased by however often it would.
    /// </summary>
    OnPolicyOnly,

    /// <summary>The revealed set depends on the sampled tokens and the recorded log-probs leave that factor out.</summary>
    Approximate,
}

/// <summary>What the probability of a step's set is.</summary>
public enum SelectionLaw
{
    /// <summary>1, or free of the weights.</summary>
    Free,

    /// <summary>That of an ordered draw in proportion to how certain the candidates are.</summary>
    PlackettLuce,

    /// <summary>That of an ordered draw in proportion to how probable the token is that each candidate has sampled, and of the tokens that stay masked.</summary>
    PlackettLuceSampled,

    /// <summary>That of the surest sampled tokens.</summary>
    LowConfidence,

    /// <summary>That of an ordered draw in proportion to the scores of a learned unmasking policy.</summary>
    UnmaskingPolicy,

    /// <summary>That of one draw for every candidate by the scores of a learned unmasking policy, of which at least one succeeds.</summary>
    Bernoulli,
}

public static class SelectionLaws
{
    /// <summary>It is a law over the scores of the model's unmasking policy.</summary>
    public static bool AsksUnmaskingPolicy(this SelectionLaw law) => law is SelectionLaw.UnmaskingPolicy or SelectionLaw.Bernoulli;
}

/// <summary>A reveal rule as the configuration names it, and what a replay of its trajectories is worth.</summary>
/// <param name="Law">what the probability of a step's set is</param>
public sealed record RevealRule(string Name, Exactness Exactness, SelectionLaw Law = SelectionLaw.Free)
{
    /// <summary>The set's probability depends on the weights, and a ratio of steps or of whole completions holds it.</summary>
    public bool HasFactor => Law != SelectionLaw.Free;

    /// <summary>The order in which a step draws its positions is part of what it draws.</summary>
    public bool Ordered => Law is SelectionLaw.PlackettLuce or SelectionLaw.PlackettLuceSampled or SelectionLaw.UnmaskingPolicy;

    /// <summary>What a step reveals depends on the tokens that it has sampled: a factor and the tokens' log-probs are one likelihood together only.</summary>
    public bool SeesTokens => Law is SelectionLaw.PlackettLuceSampled or SelectionLaw.LowConfidence;

    /// <summary>The tokens of candidates that stay masked are part of what is replayed.</summary>
    public bool RecordsMasked => Law == SelectionLaw.PlackettLuceSampled;

    /// <summary>The model has an unmasking policy that is asked.</summary>
    public bool AsksUnmaskingPolicy => Law.AsksUnmaskingPolicy();

    /// <summary>How much a step reveals depends on the model: a rollout has as many steps as it needs.</summary>
    public bool Adaptive => Limit is not null || Law == SelectionLaw.Bernoulli;

    /// <summary>What a step may reveal beyond its share of the steps; null = a step reveals its share and no more.</summary>
    public RevealLimit? Limit { get; init; }
}

/// <summary>How sure a rule that reveals as much as it dares has to be.</summary>
/// <param name="Usual">where the configuration does not say</param>
public sealed record RevealLimit(double Least, double Most, double Usual);

/// <summary>Every reveal rule. What the sampler does to a distribution must be what the likelihood replays: one row says both.</summary>
public static class RevealRules
{
    public static IReadOnlyList<RevealRule> All { get; } =
    [
        new("max-prob", Exactness.OnPolicyOnly),
        new("entropy", Exactness.OnPolicyOnly),
        new("margin", Exactness.OnPolicyOnly),
        new("threshold", Exactness.OnPolicyOnly) { Limit = new(0, 1, 0.9) },
        new("entropy-bounded", Exactness.OnPolicyOnly) { Limit = new(0, 100, 0.1) },
        new("random", Exactness.OnAndOffPolicy),
        new("left-to-right", Exactness.OnAndOffPolicy),
        new("plackett-luce", Exactness.OnAndOffPolicy, SelectionLaw.PlackettLuce),
        new("plackett-luce-sampled", Exactness.OnAndOffPolicy, SelectionLaw.PlackettLuceSampled),
        new("low-confidence", Exactness.OnPolicyOnly, SelectionLaw.LowConfidence),
        new("unmasking-policy", Exactness.OnAndOffPolicy, SelectionLaw.UnmaskingPolicy),
        new("bernoulli", Exactness.OnAndOffPolicy, SelectionLaw.Bernoulli),
    ];

    public static IReadOnlyList<string> Names { get; } = [.. All.Select(rule => rule.Name)];

    /// <exception cref="InvalidOperationException">no such rule; the settings' reader refuses one before this</exception>
    public static RevealRule ByName(string name) => All.First(rule => rule.Name == name);
}
