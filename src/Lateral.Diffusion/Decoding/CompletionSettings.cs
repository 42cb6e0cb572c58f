using System.Collections.Immutable;

namespace Lateral.Diffusion.Decoding;

/// <summary>How a published model is asked to complete, in words that all families share. What is left open is as the family is published.</summary>
/// <param name="GenLength">tokens of a completion</param>
/// <param name="Rule">one of <see cref="PublishedModel.Rules"/>; null = the family's own</param>
public sealed record CompletionSettings(int GenLength, string? Rule = null)
{
    /// <summary>Null = the block that a block-causal model was trained with; of others 32 tokens, or the whole completion where that does not divide it.</summary>
    public int? BlockLength { get; init; }

    /// <summary>Forwards of a completion; of a block-causal model, of a block at most. Null = one for each token.</summary>
    public int? Steps { get; init; }

    /// <summary>0 = the most probable tokens.</summary>
    public double Temperature { get; init; }

    /// <summary>How sure a token has to be, for rules that ask; null = the rule's own.</summary>
    public double? Threshold { get; init; }

    public DecodingCache Cache { get; init; } = DecodingCache.None;

    public ulong Seed { get; init; }
}

/// <summary>A completion of one prompt.</summary>
/// <param name="Tokens">up to the first that ends it</param>
/// <param name="Forwards">of the batch it was part of</param>
public sealed record CompletedPrompt(ImmutableArray<int> Tokens, int Forwards);
