using System.Diagnostics;
using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;

namespace Lateral.Diffusion.Tokens;

/// <summary>
/// A regular expression of a tokenizer file, which was written for another engine, as .NET can run it: possessive quantifiers become atomic groups, and characters beyond U+FFFF, which are two here
/// and one there, are matched by one character of the same general category. Matches and what lies between them are pieces ("isolated").
/// </summary>
internal sealed class SplitPattern
{
    // GPT-2's, where a file asks for the byte level's own.
    public const string ByteLevel = @"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+";

    /// <summary>Ten times what published ones have. An expression of nested groups takes 250 times its length in memory, and translating takes the square of it in time.</summary>
    private const int MostCharacters = 1 << 12;

    // A sound pattern takes microseconds for a match and far less than this for a megabyte; one that needs more never ends.
    private static readonly TimeSpan UsualDeadline = TimeSpan.FromSeconds(3), PerCharacter = TimeSpan.FromMicroseconds(20);

    private readonly Regex _regex;
    private readonly TimeSpan _deadline;

    /// <param name="deadline">for a match, and for the whole of a short text</param>
    /// <exception cref="ArgumentException">.NET cannot run it</exception>
    /// <exception cref="TokenizerException">it is too long</exception>
    public SplitPattern(string pattern, bool literal = false, TimeSpan? deadline = null)
    {
        if (pattern.Length > MostCharacters) throw new TokenizerException($"a splitting pattern has {pattern.Length} characters, and at most {MostCharacters} are read");
        _deadline = deadline ?? UsualDeadline;
        _regex = new Regex(literal ? Regex.Escape(pattern) : WithoutPossessives(pattern), RegexOptions.CultureInvariant, _deadline);
    }

    /// <exception cref="TokenizerException">the pattern does not come to an end</exception>
    public IEnumerable<string> Split(string text)
    {
        var (simple, starts) = Simplified(text);
        string Piece(int begin, int end) => starts is null ? text[begin..end] : text[starts[begin]..starts[end]];
        var at = 0;
        foreach (var (index, length) in Matches(simple))
        {
            if (index > at) yield return Piece(at, index);
            yield return Piece(index, index + length);
            at = index + length;
        }

        if (at < simple.Length) yield return Piece(at, simple.Length);
    }

    private List<(int Index, int Length)> Matches(string text)
    {
        // Each match has its own deadline, and there may be as many as characters.
        var (matches, started, limit) = (new List<(int, int)>(), Stopwatch.GetTimestamp(), _deadline + (PerCharacter * text.Length));
        try
        {
            for (var match = _regex.Match(text); match.Success; match = match.NextMatch())
            {
                if (match.Length > 0) matches.Add((match.Index, match.Length));
                if (Stopwatch.GetElapsedTime(started) > limit) throw new RegexMatchTimeoutException();
            }

            return matches;
        }
        catch (RegexMatchTimeoutException endless)
        {
            throw new TokenizerException($"the tokenizer's pattern {Shortened()} took more than {Stopwatch.GetElapsedTime(started).TotalSeconds:0.0} s over {text.Length} characters: it tries too many ways to match", endless);
        }
    }

    private string Shortened() => _regex.ToString() is { Length: > 100 } pattern ? $"{pattern[..97]}..." : _regex.ToString();

    /// <summary><c>\p{N}++</c> to <c>(?>\p{N}+)</c>: the same, where atomic groups are all there is.</summary>
    internal static string WithoutPossessives(string pattern)
    {
        var result = new StringBuilder();
        // Where the last atom begins in the result, and where each open group does.
        var (atom, groups) = (0, new Stack<int>());
        for (var i = 0; i < pattern.Length;)
        {
            var quantifier = QuantifierAt(pattern, i);
            if (quantifier > 0)
            {
                result.Append(pattern, i, quantifier);
                i += quantifier;
                if (i < pattern.Length && pattern[i] == '+')
                {
                    result.Insert(atom, "(?>").Append(')');
                    i++;
                }
                else if (i < pattern.Length && pattern[i] == '?') result.Append(pattern[i++]);

                continue;
            }

            var begin = i;
            switch (pattern[i])
            {
                case '(':
                    groups.Push(result.Length);
                    i++;
                    break;
                case ')':
                    atom = groups.Count > 0 ? groups.Pop() : result.Length;
                    result.Append(pattern[i++]);
                    continue;
                case '[':
                    i = EndOfClass(pattern, i);
                    break;
                case '\\':
                    i = EndOfEscape(pattern, i);
                    break;
                default:
                    i++;
                    break;
            }

            atom = result.Length;
            result.Append(pattern, begin, i - begin);
        }

        return result.ToString();
    }

    private static int QuantifierAt(string pattern, int at)
    {
        // A question mark behind an opening parenthesis begins a group's options.
        if (pattern[at] is '*' or '+' || (pattern[at] == '?' && (at == 0 || pattern[at - 1] != '('))) return 1;
        if (pattern[at] != '{') return 0;
        var end = pattern.IndexOf('}', at);
        return end > at + 1 && pattern[(at + 1)..end].All(character => char.IsAsciiDigit(character) || character == ',') ? end - at + 1 : 0;
    }

    private static int EndOfClass(string pattern, int at)
    {
        for (var i = at + 1; i < pattern.Length; i++)
        {
            if (pattern[i] == '\\') i++;
            else if (pattern[i] == ']' && i > at + 1) return i + 1;
        }

        return pattern.Length;
    }

    private static int EndOfEscape(string pattern, int at)
    {
        if (at + 2 < pattern.Length && pattern[at + 1] is 'p' or 'P' && pattern[at + 2] == '{' && pattern.IndexOf('}', at) is > 0 and var end) return end + 1;
        return Math.Min(at + 2, pattern.Length);
    }

    /// <returns>the text with one character for each code point, and where each begins in the original; null where nothing had to change</returns>
    private static (string Text, int[]? Starts) Simplified(string text)
    {
        if (!text.Any(char.IsSurrogate)) return (text, null);
        var (simple, starts, at) = (new StringBuilder(), new List<int>(), 0);
        foreach (var rune in text.EnumerateRunes())
        {
            simple.Append(rune.IsBmp ? (char)rune.Value : Representative(Rune.GetUnicodeCategory(rune)));
            starts.Add(at);
            at += rune.Utf16SequenceLength;
        }

        starts.Add(at);
        return (simple.ToString(), [.. starts]);
    }

    /// <summary>A character below U+10000 of the category that no pattern names.</summary>
    private static char Representative(UnicodeCategory category) => category switch
    {
        UnicodeCategory.UppercaseLetter => 'Ꙁ',
        UnicodeCategory.LowercaseLetter => 'ꙁ',
        UnicodeCategory.TitlecaseLetter => 'ǅ',
        UnicodeCategory.ModifierLetter => 'ʰ',
        UnicodeCategory.OtherLetter => 'ƻ',
        UnicodeCategory.NonSpacingMark => '\u0300',
        UnicodeCategory.SpacingCombiningMark => '\u0903',
        UnicodeCategory.EnclosingMark => '\u0488',
        UnicodeCategory.DecimalDigitNumber => '٣',
        UnicodeCategory.LetterNumber => 'Ⅷ',
        UnicodeCategory.OtherNumber => '¼',
        UnicodeCategory.Format => '\u200e',
        UnicodeCategory.PrivateUse => '\ue000',
        UnicodeCategory.MathSymbol => '±',
        UnicodeCategory.CurrencySymbol => '¤',
        UnicodeCategory.ModifierSymbol => '˄',
        UnicodeCategory.OtherSymbol => '©',
        UnicodeCategory.OtherPunctuation => '¿',
        _ => '\uffff',
    };
}
