using System.Collections.Immutable;

namespace Lateral.Core.Learning;

/// <summary>A likelihood, or an estimate of one, as the configuration names it.</summary>
/// <param name="Units">what its values can be about; the first is the usual</param>
/// <param name="Recorded">whether the sampler's record is the behaviour's value; otherwise the sampler has to score each finished rollout once more</param>
public sealed record LikelihoodRule(string Name, ImmutableArray<RatioGranularity> Units, bool Recorded, params ImmutableArray<Knob> Knobs) : IMethodRule
{
    /// <summary>The factor of a step's draw has a ratio of its own beside those of its tokens.</summary>
    public bool TwoStage { get; init; }
}

/// <summary>Every likelihood: a new one is a row here, a file in Diffusion and an entry in reference.conf.</summary>
public static class LikelihoodRules
{
    private static readonly ImmutableArray<RatioGranularity> Recorded = [RatioGranularity.Token, RatioGranularity.Step, RatioGranularity.Sequence, RatioGranularity.SequenceSum];
    /// <summary>A subset of the states is unbiased for sums over them only, and the loss of a completion is none.</summary>
    private static readonly ImmutableArray<RatioGranularity> Parts = [RatioGranularity.Token, RatioGranularity.Step];
    private static readonly ImmutableArray<RatioGranularity> Tokens = [RatioGranularity.Token, RatioGranularity.Sequence, RatioGranularity.SequenceSum], Completion = [RatioGranularity.Sequence, RatioGranularity.SequenceSum];
    private static readonly Knob StepSubset = new("step-subset", 0, 65_536, Whole: true), Samples = new("samples", 1, 255, Whole: true);
    private static readonly Knob MaskLow = new("mask-low", 0.01, 0.99), MaskHigh = new("mask-high", 0.01, 0.99);

    public static IReadOnlyList<LikelihoodRule> All { get; } =
    [
        new("trajectory", Recorded, true, StepSubset),
        new("trajectory-stratified", Parts, true, StepSubset),
        new("trajectory-surprise", Parts, true, StepSubset),
        new("trajectory-two-stage", [RatioGranularity.Token], true, StepSubset) { TwoStage = true },
        new("trajectory-merged", Tokens, false, new Knob("merge", 1, 65_536, Whole: true)),
        new("one-step", Tokens, false, new Knob("prompt-mask", 0, 0.99)),
        new("coupled", Tokens, false, MaskLow, MaskHigh),
        new("random-mask", [RatioGranularity.Sequence], false, MaskLow, MaskHigh),
        new("elbo", Completion, false, Samples),
        new("elbo-bernoulli", Completion, false, Samples),
        new("elbo-complement", Completion, false, Samples),
        new("elbo-quadrature", Completion, false, new Knob("nodes", 1, 5, Whole: true)),
        new("elbo-block-causal", Completion, false, Samples, new Knob("causal-block", 0, 65_536, Whole: true)),
        new("sandwich", [RatioGranularity.Sequence], false, Samples, new("mask-block", 0, 65_536, Whole: true), new("context-mask", 0, 0.99), new("upper-share", 0, 1), new("power", 0.01, 100)),
    ];

    public static IReadOnlyList<string> Names { get; } = [.. All.Select(rule => rule.Name)];

    /// <exception cref="InvalidOperationException">no such likelihood; the settings' reader refuses one before this</exception>
    public static LikelihoodRule ByName(string name) => All.First(rule => rule.Name == name);
}
