using System.Collections.Immutable;
using System.Text;
using Lateral.Core.Prompts;
using Microsoft.ML.Tokenizers;

namespace Lateral.Diffusion.Tokens;

/// <summary>What a tokenizer.json says; <see cref="TokenizerJson"/> reads it.</summary>
/// <param name="Vocabulary">tokens in byte-level characters</param>
/// <param name="Merges">pairs in the order of their ranks, <c>"Ġ t"</c></param>
/// <param name="Compose">texts are normalized to NFC</param>
/// <param name="Patterns">one after the other, each splits the pieces of the one before</param>
/// <param name="PrefixSpace">a text that begins with no white space gets a space</param>
/// <param name="IgnoreMerges">a piece that is a token is one, whatever the merges say</param>
/// <param name="Before">ids that <c>add_special_tokens</c> puts before a text, and <paramref name="After"/> behind it</param>
internal sealed record BytePairSpec(
    IReadOnlyDictionary<string, int> Vocabulary, IReadOnlyList<string> Merges, IReadOnlyList<AddedToken> Added, bool Compose, IReadOnlyList<SplitPattern> Patterns, bool PrefixSpace, bool IgnoreMerges,
    ImmutableArray<int> Before, ImmutableArray<int> After);

/// <summary>
/// A byte-level BPE tokenizer as published with models: added tokens are found first, what is between them is normalized and split by patterns, and every piece's bytes are merged by rank. Safe on any
/// thread.
/// </summary>
public sealed class BytePairTokenizer : ITokenizer
{
    private readonly BytePairSpec _spec;
    private readonly BpeTokenizer _merging;
    private readonly AddedTokens _raw, _normalized;
    private readonly Dictionary<int, string> _texts;
    private readonly Dictionary<int, AddedToken> _added;

    internal BytePairTokenizer(BytePairSpec spec, int maskId, int? endId)
    {
        _spec = spec;
        _merging = BpeTokenizer.Create(new BpeOptions(spec.Vocabulary) { Merges = spec.Merges, ByteLevel = false });
        _raw = new(spec.Added.Where(token => !token.Normalized));
        _normalized = new(spec.Added.Where(token => token.Normalized).Select(token => token with { Content = Composed(token.Content) }));
        _texts = spec.Vocabulary.ToDictionary(pair => pair.Value, pair => pair.Key);
        _added = spec.Added.GroupBy(token => token.Id).ToDictionary(group => group.Key, group => group.Last());
        VocabularySize = Math.Max(_texts.Keys.Append(-1).Max(), _added.Keys.Append(-1).Max()) + 1;
        (MaskId, EndId) = (maskId, endId);
    }

    public int VocabularySize { get; }

    public int MaskId { get; }

    public int? EndId { get; }

    /// <summary>The id of a token by its text, special ones included; null = there is none.</summary>
    public int? IdOf(string token) => _spec.Added.LastOrDefault(added => added.Content == token)?.Id ?? (_spec.Vocabulary.TryGetValue(token, out var id) ? id : null);

    /// <exception cref="FormatException">a byte of the text is no token, which a byte-level vocabulary always has</exception>
    /// <exception cref="TokenizerException">the tokenizer's pattern does not come to an end</exception>
    public ImmutableArray<int> Encode(string text) => Encode(text, special: false);

    /// <param name="special">with the tokens that the tokenizer puts around a text</param>
    /// <inheritdoc cref="Encode(string)"/>
    public ImmutableArray<int> Encode(string text, bool special)
    {
        var ids = ImmutableArray.CreateBuilder<int>();
        if (special) ids.AddRange(_spec.Before);
        foreach (var (found, between) in _raw.Split(text))
        {
            if (found is not null) ids.Add(found.Id);
            else Normalize(between, ids);
        }

        if (special) ids.AddRange(_spec.After);
        return ids.DrainToImmutable();
    }

    /// <summary>Bytes that are no UTF-8 become the replacement character; ids that are no token are left out.</summary>
    public string Decode(ReadOnlySpan<int> ids) => Decode(ids, special: false);

    /// <param name="special">special tokens are written out and not left out</param>
    /// <inheritdoc cref="Decode(ReadOnlySpan{int})"/>
    public string Decode(ReadOnlySpan<int> ids, bool special)
    {
        var bytes = new List<byte>();
        foreach (var id in ids)
        {
            if (_added.TryGetValue(id, out var token))
            {
                if (special || !token.Special) bytes.AddRange(Encoding.UTF8.GetBytes(token.Content));
            }
            else if (_texts.TryGetValue(id, out var text)) ByteAlphabet.AddBytes(text, bytes);
        }

        return Encoding.UTF8.GetString([.. bytes]);
    }

    private void Normalize(string text, ImmutableArray<int>.Builder ids)
    {
        foreach (var (found, between) in _normalized.Split(Composed(text)))
        {
            if (found is not null) ids.Add(found.Id);
            else Merge(_spec.PrefixSpace && !char.IsWhiteSpace(between[0]) ? $" {between}" : between, ids);
        }
    }

    private void Merge(string text, ImmutableArray<int>.Builder ids)
    {
        IEnumerable<string> pieces = [text];
        foreach (var pattern in _spec.Patterns) pieces = pieces.SelectMany(pattern.Split);
        foreach (var piece in pieces.Select(ByteAlphabet.Of))
        {
            if (_spec.IgnoreMerges && _spec.Vocabulary.TryGetValue(piece, out var whole)) ids.Add(whole);
            else if (piece.FirstOrDefault(character => !_spec.Vocabulary.ContainsKey(character.ToString())) is not '\0' and var missing) throw new FormatException($"the vocabulary has no token for the byte that is written '{missing}'");
            else ids.AddRange(_merging.EncodeToIds(piece, considerPreTokenization: false, considerNormalization: false));
        }
    }

    /// <summary>NFC; a lone half of a surrogate pair, which no encoding has, becomes the replacement character.</summary>
    private string Composed(string text)
    {
        var sound = Encoding.UTF8.GetString(Encoding.UTF8.GetBytes(text));
        return _spec.Compose ? sound.Normalize(NormalizationForm.FormC) : sound;
    }
}
