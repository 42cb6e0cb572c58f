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

/// <summary>A reveal rule as the configuration names it, and what a replay of its trajectories is worth.</summary>
/// <param name="HasFactor">the set's probability depends on the weights, and a ratio of steps or whole completions holds it</param>
public sealed record RevealRule(string Name, Exactness Exactness, bool HasFactor = false);

/// <summary>Every reveal rule. What the sampler does to a distribution must be what the likelihood replays: one row says both.</summary>
public static class RevealRules
{
    public static IReadOnlyList<RevealRule> All { get; } =
    [
        new("max-prob", Exactness.OnPolicyOnly),
        new("entropy", Exactness.OnPolicyOnly),
        new("margin", Exactness.OnPolicyOnly),
        new("random", Exactness.OnAndOffPolicy),
        new("left-to-right", Exactness.OnAndOffPolicy),
        new("plackett-luce", Exactness.OnAndOffPolicy, HasFactor: true),
        new("low-confidence", Exactness.OnPolicyOnly, HasFactor: true),
    ];

    public static IReadOnlyList<string> Names { get; } = [.. All.Select(rule => rule.Name)];

    /// <exception cref="InvalidOperationException">no such rule; the settings' reader refuses one before this</exception>
    public static RevealRule ByName(string name) => All.First(rule => rule.Name == name);
}
