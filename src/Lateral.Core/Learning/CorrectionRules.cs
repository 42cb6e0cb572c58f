using System.Collections.Immutable;
using Lateral.Core.Rollouts;

namespace Lateral.Core.Learning;

/// <summary>What a likelihood's value is about, and so an importance ratio is the ratio of.</summary>
public enum RatioGranularity
{
    /// <summary>One revealed token.</summary>
    Token,

    /// <summary>One denoising step: the sum over the tokens that it revealed.</summary>
    Step,

    /// <summary>One completion, per token: normalised by its length, its ratio is far closer to 1 than a token's.</summary>
    Sequence,

    /// <summary>One completion, not normalised: its log-prob itself, as preferences compare it. Its ratio soon leaves every trust region.</summary>
    SequenceSum,
}

/// <summary>Names of units in the configuration.</summary>
public static class Granularities
{
    public static IReadOnlyList<string> Names { get; } = ["token", "step", "sequence", "sequence-sum"];

    public static string NameOf(RatioGranularity unit) => Names[(int)unit];

    public static RatioGranularity ByName(string name) => (RatioGranularity)Math.Max(0, Names.ToList().IndexOf(name));

    /// <summary>As a reader says it.</summary>
    public static string Words(RatioGranularity unit) => unit switch
    {
        RatioGranularity.Token => "token",
        RatioGranularity.Step => "denoising step",
        RatioGranularity.Sequence => "completion, normalised by its length",
        _ => "completion",
    };
}

/// <summary>Half-widths of a trust region: what makes sense at all, and what is usual.</summary>
public sealed record EpsilonRange(double Least, double Most, double UsualLeast, double UsualMost)
{
    /// <summary>
    /// A token's ratio moves by tens of percent between versions; the mean over a completion by 1e-4 .. 1e-3 (GSPO, arXiv 2507.18071,
    /// section 5.1; ESPO's scripts use 4e-4).
    /// </summary>
    public static EpsilonRange Of(RatioGranularity unit) => unit == RatioGranularity.Sequence ? new(1e-6, 0.05, 1e-4, 1e-3) : new(0.01, 0.999, 0.2, 0.5);

    public bool Allows(double epsilon) => epsilon >= Least && epsilon <= Most;

    public bool IsUsual(double epsilon) => epsilon >= UsualLeast && epsilon <= UsualMost;
}

/// <summary>An off-policy correction as the configuration names it.</summary>
/// <param name="HasRatio">whether it asks what the behaviour policy thought of a unit</param>
/// <param name="HasProximal">whether it also asks the policy that the step began with: with one update a step that is the current one</param>
public sealed record CorrectionRule(string Name, bool HasRatio, bool HasProximal, params ImmutableArray<Knob> Knobs) : IMethodRule
{
    /// <summary>What its ratio is of, where that is not the likelihood's unit.</summary>
    public RatioGranularity? Unit { get; init; }

    /// <summary>Whether it compares completions under the current policy and the reference, instead of following advantages.</summary>
    public bool Preference { get; init; }

    /// <summary>Whether <c>clip-epsilon</c> is a half-width around a ratio of the likelihood's unit, so that its range depends on it.</summary>
    public bool HasEpsilon => Knobs.Any(knob => knob.Name == "clip-epsilon");
}

/// <summary>Every correction: a new one is a row here, a file in Diffusion and an entry in reference.conf.</summary>
public static class CorrectionRules
{
    private const double Any = 1e6;

    private static readonly Knob Epsilon = new("clip-epsilon", 1e-6, 0.999), DualClip = new("dual-clip", 0, Any), RatioCap = new("ratio-cap", 1, Any);
    private static readonly Knob RatioLow = new("ratio-low", 0, 1), RatioHigh = new("ratio-high", 1, Any);

    public static IReadOnlyList<CorrectionRule> All { get; } =
    [
        new("behaviour-clip", true, false, Epsilon, DualClip),
        new("dppo-tv", true, false, new("tv-limit", 0, 1), RatioCap, new("drift-penalty", 0, Any)),
        new("decoupled", true, true, Epsilon, new("ratio-mask", 1, Any)),
        new("decoupled-log-linear", true, false, Epsilon, new("ratio-mask", 1, Any)),
        new("tis", true, true, Epsilon, RatioCap),
        new("icepop", true, true, Epsilon, RatioLow, RatioHigh),
        new("mis", true, true, Epsilon, RatioLow, RatioHigh),
        new("mis-geometric", true, true, Epsilon, RatioLow, RatioHigh),
        new("opsm", true, false, Epsilon, DualClip, new("drift-limit", 0, Any)),
        new("cispo", true, false, new("clip-low", 0, 1), new("clip-high", 0, Any)),
        new("gspo", true, false, Epsilon) { Unit = RatioGranularity.Sequence },
        new("topr", true, false),
        new("m2po", true, true, Epsilon, new("second-moment", 1e-9, Any)),
        new("sapo", true, false, new("temperature-positive", 1e-3, Any), new("temperature-negative", 1e-3, Any)),
        new("log-clip", true, false, new("clip-low", 0, 0.999), new("clip-high", 0, Any)),
        new("linear-exp", true, false, Epsilon, DualClip),
        new("dpo", false, false, new Knob("beta", 1e-6, Any)) { Preference = true },
        new("kto", false, false, new Knob("beta", 1e-6, Any)) { Preference = true },
        new("none", false, false),
    ];

    public static IReadOnlyList<string> Names { get; } = [.. All.Select(rule => rule.Name)];

    /// <exception cref="InvalidOperationException">no such correction; the settings' reader refuses one before this</exception>
    public static CorrectionRule ByName(string name) => All.First(rule => rule.Name == name);
}
