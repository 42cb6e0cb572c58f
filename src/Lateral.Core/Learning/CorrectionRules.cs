using Lateral.Core.Rollouts;

namespace Lateral.Core.Learning;

/// <summary>What an importance ratio is the ratio of.</summary>
public enum RatioGranularity
{
    /// <summary>The objective has no ratio.</summary>
    None,

    /// <summary>One ratio a revealed token.</summary>
    Token,

    /// <summary>One length-normalised ratio a completion, exp(mean log ratio): far closer to 1 than a token's.</summary>
    Sequence,
}

/// <summary>Half-widths of a trust region: what makes sense at all, and what is usual.</summary>
public sealed record EpsilonRange(double Least, double Most, double UsualLeast, double UsualMost)
{
    public bool Allows(double epsilon) => epsilon >= Least && epsilon <= Most;

    public bool IsUsual(double epsilon) => epsilon >= UsualLeast && epsilon <= UsualMost;
}

/// <summary>An off-policy correction as the configuration names it.</summary>
public sealed record CorrectionRule(string Name, RatioGranularity Granularity)
{
    /// <summary>
    /// The range of clip-epsilon that belongs to the ratio's granularity; null without a ratio. A token's ratio moves by tens of
    /// percent between versions; the mean over a completion by 1e-4 .. 1e-3 (GSPO, arXiv 2507.18071, section 5.1; ESPO's scripts use 4e-4).
    /// </summary>
    public EpsilonRange? Epsilon => Granularity switch
    {
        RatioGranularity.Token => new EpsilonRange(0.01, 0.999, 0.2, 0.5),
        RatioGranularity.Sequence => new EpsilonRange(1e-6, 0.05, 1e-4, 1e-3),
        _ => null,
    };
}

/// <summary>Every correction: a new one is a row here and a file beside the others.</summary>
public static class CorrectionRules
{
    public static IReadOnlyList<CorrectionRule> All { get; } =
    [
        new("behaviour-clip", RatioGranularity.Token),
        new("none", RatioGranularity.None),
    ];

    public static IReadOnlyList<string> Names { get; } = [.. All.Select(rule => rule.Name)];

    /// <exception cref="InvalidOperationException">no such correction; the settings' reader refuses one before this</exception>
    public static CorrectionRule ByName(string name) => All.First(rule => rule.Name == name);
}

/// <summary>What an off-policy importance ratio is worth, by reveal rule and correction.</summary>
public enum RatioWorth
{
    /// <summary>The objective has no ratio.</summary>
    None,

    /// <summary>Unbiased under any other weights.</summary>
    Exact,

    /// <summary>Leaves out how often other weights would reveal another set.</summary>
    ExactOnPolicyOnly,

    /// <summary>Biased even where nothing is stale.</summary>
    Approximate,
}

/// <summary>
/// The table of reveal rule times correction. Temperature needs no column: the learner replays every token under the one it was
/// sampled with, and 0, which no ratio survives, is refused.
/// </summary>
public static class RatioExactness
{
    public static RatioWorth Of(RevealRule reveal, CorrectionRule correction) => (correction.Granularity, reveal.Exactness) switch
    {
        (RatioGranularity.None, _) => RatioWorth.None,
        // A surrogate of the sequence's likelihood is not what the sampler drew from, whatever it revealed.
        (RatioGranularity.Sequence, _) => RatioWorth.Approximate,
        (_, Exactness.OnAndOffPolicy) => RatioWorth.Exact,
        (_, Exactness.OnPolicyOnly) => RatioWorth.ExactOnPolicyOnly,
        _ => RatioWorth.Approximate,
    };
}
