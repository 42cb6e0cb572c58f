using static TorchSharp.torch;

namespace Lateral.Diffusion.Decoding;

/// <summary>Which masked positions of a block a step reveals.</summary>
public abstract record DecodingRule
{
    /// <summary>As published: each step of a block reveals its even share of the surest.</summary>
    public static DecodingRule Share { get; } = new EvenShare();

    /// <summary>A block has as many steps as it needs.</summary>
    internal virtual bool Adaptive => true;

    /// <summary>Positions are compared by the entropy of their distribution and not by the probability of the sampled token.</summary>
    internal virtual bool AsksEntropy => false;

    /// <param name="certainty_BK">the sampled token's probability, or the entropy in nats</param>
    /// <param name="quota_B">a step's even share</param>
    internal abstract Tensor Choose(Tensor certainty_BK, Tensor masked_BK, Tensor quota_B);
}

/// <inheritdoc cref="DecodingRule.Share"/>
public sealed record EvenShare : DecodingRule
{
    internal override bool Adaptive => false;

    internal override Tensor Choose(Tensor certainty_BK, Tensor masked_BK, Tensor quota_B) => Choices.Surest(certainty_BK, masked_BK, quota_B);
}

/// <summary>All that are at least this sure, and the surest anyway (Fast-dLLM, Wu et al., arXiv 2505.22618).</summary>
public sealed record ConfidenceThreshold(double Threshold) : DecodingRule
{
    internal override Tensor Choose(Tensor certainty_BK, Tensor masked_BK, Tensor quota_B) => Choices.AtLeast(certainty_BK, masked_BK, Threshold);
}

/// <summary>n positions where the n-th surest is at least 1 - factor / (n + 1) sure (dInfer).</summary>
public sealed record ConfidenceFactor(double Factor) : DecodingRule
{
    internal override Tensor Choose(Tensor certainty_BK, Tensor masked_BK, Tensor quota_B) => Choices.ByFactor(certainty_BK, masked_BK, Factor);
}

/// <summary>The surest of every run of masks where it is surer than <paramref name="Low"/>, and all that are surer than the threshold (dInfer).</summary>
public sealed record ConfidenceByRun(double Threshold, double Low) : DecodingRule
{
    internal override Tensor Choose(Tensor certainty_BK, Tensor masked_BK, Tensor quota_B) => Choices.ByRun(certainty_BK, masked_BK, Threshold, Low);
}

/// <summary>Positions of least entropy whose entropies together stay below a bound, in nats (Ben-Hamu et al., arXiv 2505.24857).</summary>
public sealed record EntropyBound(double Bound) : DecodingRule
{
    internal override bool AsksEntropy => true;

    internal override Tensor Choose(Tensor certainty_BK, Tensor masked_BK, Tensor quota_B) => Choices.WithinEntropy(certainty_BK, masked_BK, Bound);
}
