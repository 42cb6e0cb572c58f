using System.Collections.Immutable;

namespace Lateral.Core.Learning;

/// <summary>A supervised objective as the configuration names it: what of an answer is noised, and what the model sees beside it.</summary>
/// <param name="ByBlock">whether the sampler's blocks are its thoughts: with one block it is the objective of the whole answer</param>
public sealed record SupervisedRule(string Name, bool ByBlock, params ImmutableArray<Knob> Knobs) : IMethodRule
{
    /// <summary>For a model that sees only what stands before a position, and for no other.</summary>
    public bool Causal { get; init; }
}

/// <summary>Every supervised objective: a new one is a row here, a file in Diffusion and an entry in reference.conf.</summary>
public static class SupervisedRules
{
    public static IReadOnlyList<SupervisedRule> All { get; } =
    [
        new("masked", false),
        new("block", true),
        new("dot", false, new Knob("gold-floor", 0, 1)),
        new("dot-mp", true, new Knob("glance", 0, 1)),
        new("next-token", false) { Causal = true },
    ];

    public static IReadOnlyList<string> Names { get; } = [.. All.Select(rule => rule.Name)];

    /// <exception cref="InvalidOperationException">no such objective; the settings' reader refuses one before this</exception>
    public static SupervisedRule ByName(string name) => All.First(rule => rule.Name == name);
}
