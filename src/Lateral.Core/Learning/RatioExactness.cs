using Lateral.Core.Rollouts;

namespace Lateral.Core.Learning;

/// <summary>What an off-policy importance ratio is worth, by reveal rule, likelihood and correction.</summary>
public enum RatioWorth
{
    /// <summary>The objective has no ratio.</summary>
    None,

    /// <summary>Unbiased under any other weights.</summary>
    Exact,

    /// <summary>Exact while nothing is stale; leaves out how often other weights would reveal another set, or is one of two halves.</summary>
    ExactOnPolicyOnly,

    /// <summary>Biased even where nothing is stale.</summary>
    Approximate,
}

/// <summary>
/// The table of reveal rule times likelihood times correction. Temperature needs no column: the learner replays every token under the one it
/// was sampled with, and 0, which no ratio survives, is refused.
/// </summary>
public static class RatioExactness
{
    public static RatioWorth Of(RevealRule reveal, LikelihoodRule likelihood, RatioGranularity unit, CorrectionRule correction)
    {
        if (!correction.HasRatio) return RatioWorth.None;
        // A surrogate of the likelihood is not what the sampler drew from, whatever it revealed, and neither is a mean over a completion.
        if (!likelihood.Recorded || (correction.Unit ?? unit) == RatioGranularity.Sequence) return RatioWorth.Approximate;
        if (!reveal.HasFactor || unit is RatioGranularity.Step or RatioGranularity.SequenceSum) return OfRule(reveal);
        // A token's ratio leaves out the factor of its step.
        if (!likelihood.TwoStage) return RatioWorth.Approximate;
        // Where the draw depends on the tokens, a ratio of them and one of the factor are halves of one ratio.
        return reveal.SeesTokens ? RatioWorth.ExactOnPolicyOnly : OfRule(reveal);
    }

    private static RatioWorth OfRule(RevealRule reveal) => reveal.Exactness switch
    {
        Exactness.OnAndOffPolicy => RatioWorth.Exact,
        Exactness.OnPolicyOnly => RatioWorth.ExactOnPolicyOnly,
        _ => RatioWorth.Approximate,
    };
}
