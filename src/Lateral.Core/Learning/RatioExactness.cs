using Lateral.Core.Rollouts;

namespace Lateral.Core.Learning;

/// <summary>What an off-policy importance ratio is worth, by reveal rule, likelihood and correction.</summary>
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
/// The table of reveal rule times likelihood times correction. Temperature needs no column: the learner replays every token under the one it
/// was sampled with, and 0, which no ratio survives, is refused.
/// </summary>
public static class RatioExactness
{
    public static RatioWorth Of(RevealRule reveal, LikelihoodRule likelihood, RatioGranularity unit, CorrectionRule correction) => (correction.HasRatio, reveal.Exactness) switch
    {
        (false, _) => RatioWorth.None,
        // A surrogate of the likelihood is not what the sampler drew from, whatever it revealed, and neither is a mean over a completion.
        // A token's ratio leaves out the factor of its step.
        _ when reveal.HasFactor && unit is RatioGranularity.Token or RatioGranularity.Sequence => RatioWorth.Approximate,
        _ when !likelihood.Recorded || (correction.Unit ?? unit) == RatioGranularity.Sequence => RatioWorth.Approximate,
        (_, Exactness.OnAndOffPolicy) => RatioWorth.Exact,
        (_, Exactness.OnPolicyOnly) => RatioWorth.ExactOnPolicyOnly,
        _ => RatioWorth.Approximate,
    };
}
