using System.Text;
using System.Text.RegularExpressions;

namespace Lateral.Diffusion.Tokens;

/// <summary>A token that is found in a text before anything is split.</summary>
/// <param name="LeftStrip">it takes the white space before it with it; <paramref name="RightStrip"/> that behind it</param>
/// <param name="SingleWord">not where a letter, digit or underscore touches it</param>
/// <param name="Normalized">it is looked for after the text was normalized</param>
/// <param name="Special">decoding leaves it out</param>
internal sealed record AddedToken(int Id, string Content, bool LeftStrip, bool RightStrip, bool SingleWord, bool Normalized, bool Special);

/// <summary>Finds added tokens: the leftmost first, of those the longest.</summary>
internal sealed class AddedTokens
{
    private static readonly Regex Words = new(@"\w", RegexOptions.CultureInvariant, TimeSpan.FromSeconds(1));

    private readonly Regex? _any;
    private readonly Dictionary<string, AddedToken> _tokens;

    public AddedTokens(IEnumerable<AddedToken> tokens)
    {
        // A later token of the same text replaces an earlier one.
        _tokens = tokens.Where(token => token.Content.Length > 0).GroupBy(token => token.Content, StringComparer.Ordinal).ToDictionary(group => group.Key, group => group.Last(), StringComparer.Ordinal);
        if (_tokens.Count > 0) _any = new Regex(string.Join('|', _tokens.Keys.OrderByDescending(content => content.Length).Select(Regex.Escape)), RegexOptions.CultureInvariant, TimeSpan.FromSeconds(30));
    }

    /// <summary>The text's tokens and what lies between them, in order; exactly one of the two is there.</summary>
    public IEnumerable<(AddedToken? Token, string Text)> Split(string text)
    {
        var at = 0;
        for (var match = Next(text, 0); match is { Success: true };)
        {
            var token = _tokens[match.Value];
            var (begin, end) = (match.Index, match.Index + match.Length);
            if (token.SingleWord && (WordAt(text, begin - 1) || WordAt(text, end)))
            {
                match = Next(text, end);
                continue;
            }

            // What an earlier token has taken is not taken again.
            while (token.LeftStrip && begin > at && char.IsWhiteSpace(text[begin - 1])) begin--;
            while (token.RightStrip && end < text.Length && char.IsWhiteSpace(text[end])) end++;
            if (begin > at) yield return (null, text[at..begin]);
            yield return (token, "");
            at = end;
            match = Next(text, end);
        }

        if (at < text.Length) yield return (null, text[at..]);
    }

    private Match? Next(string text, int at)
    {
        try
        {
            return _any?.Match(text, at);
        }
        catch (RegexMatchTimeoutException endless)
        {
            throw new TokenizerException($"{_tokens.Count} added tokens were not found within {_any!.MatchTimeout.TotalSeconds:0} s in {text.Length} characters", endless);
        }
    }

    private static bool WordAt(string text, int at)
    {
        if (at < 0 || at >= text.Length) return false;
        // Half of a pair stands for its code point.
        if (!char.IsSurrogate(text[at])) return Words.IsMatch(text[at].ToString());
        var start = char.IsLowSurrogate(text[at]) && at > 0 ? at - 1 : at;
        return Rune.TryGetRuneAt(text, start, out var rune) && (Rune.IsLetterOrDigit(rune) || Rune.GetUnicodeCategory(rune) == System.Globalization.UnicodeCategory.NonSpacingMark);
    }
}
