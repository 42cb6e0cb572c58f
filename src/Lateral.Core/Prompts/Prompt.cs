using System.Collections.Immutable;

namespace Lateral.Core.Prompts;

/// <summary>
/// One task instance. Example: <c>index 7, tokens [3,1,4,1,5], text "31415", reference "11345"</c>.
/// </summary>
/// <param name="Index">position in its split, or the ordinal it was generated for</param>
/// <param name="Tokens">[P] token ids, without padding</param>
/// <param name="Reference">what the verifiers compare with; its form belongs to the task</param>
public sealed record Prompt(long Index, ImmutableArray<int> Tokens, string Text, string Reference)
{
    /// <summary>A right answer as token ids, of which hinted rollouts are given parts; empty where none is known. Verifiers never see it.</summary>
    public ImmutableArray<int> Solution { get; init; } = [];
}

/// <summary>The prompts of a run: a pure function of the ordinal, so that resuming needs no cursor beyond it.</summary>
public interface IPromptSource
{
    /// <summary>The training prompt of rollout group <paramref name="ordinal"/> (0, 1, 2, ...).</summary>
    Prompt Train(long ordinal);

    /// <summary>How many held-out prompts there are.</summary>
    int HeldOutCount { get; }

    /// <summary>Held-out prompt <paramref name="index"/> in [0, <see cref="HeldOutCount"/>); never a training prompt.</summary>
    Prompt HeldOut(int index);
}

/// <summary>Text to token ids and back.</summary>
public interface ITokenizer
{
    /// <summary>Number of token ids, special tokens included.</summary>
    int VocabularySize { get; }

    /// <summary>The token a masked position holds; never sampled.</summary>
    int MaskId { get; }

    /// <summary>The token that ends a completion, where the vocabulary has one.</summary>
    int? EndId { get; }

    /// <exception cref="FormatException">the text has a character outside the vocabulary</exception>
    ImmutableArray<int> Encode(string text);

    /// <summary>The text of the ids; special tokens are left out.</summary>
    string Decode(ReadOnlySpan<int> ids);

    /// <summary>The text of a completion: of its ids before the first end token.</summary>
    string DecodeToEnd(ReadOnlySpan<int> ids)
    {
        var end = EndId is { } id ? ids.IndexOf(id) : -1;
        return Decode(end < 0 ? ids : ids[..end]);
    }
}
