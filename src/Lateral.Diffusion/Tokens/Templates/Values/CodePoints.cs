using System.Text;

namespace Lateral.Diffusion.Tokens.Templates;

/// <summary>Texts by code point, as Python counts them: an emoji is one, and two characters here. Half a pair is one of its own.</summary>
internal static class CodePoints
{
    /// <summary>Every character is a code point.</summary>
    public static bool AreCharacters(string text) => !text.AsSpan().ContainsAnyInRange('\ud800', '\udfff');

    public static int Count(string text) => AreCharacters(text) ? text.Length : text.Length - Pairs(text, text.Length);

    /// <summary>The code points before a character.</summary>
    public static int Before(string text, int character) => character - Pairs(text, character);

    public static string[] Each(string text)
    {
        var starts = Starts(text);
        var points = new string[starts.Length - 1];
        for (var i = 0; i < points.Length; i++) points[i] = text[starts[i]..starts[i + 1]];
        return points;
    }

    /// <summary>Where each code point begins, and the text's end.</summary>
    public static int[] Starts(string text)
    {
        var starts = new int[Count(text) + 1];
        var at = 0;
        for (var i = 0; i < starts.Length; i++)
        {
            starts[i] = at;
            if (at < text.Length) at += LengthAt(text, at);
        }

        return starts;
    }

    /// <summary>The characters of the code point that begins there.</summary>
    public static int LengthAt(string text, int begin) => IsPair(text, begin) ? 2 : 1;

    /// <summary>The characters of the code point that ends there.</summary>
    public static int LengthBefore(string text, int end) => end > 1 && IsPair(text, end - 2) ? 2 : 1;

    /// <summary>Texts in the order of their code points; by characters, pairs would come before U+E000.</summary>
    public static int Compare(string a, string b)
    {
        var length = Math.Min(a.Length, b.Length);
        for (var i = 0; i < length; i++)
        {
            if (a[i] == b[i]) continue;
            return char.IsSurrogate(a[i]) != char.IsSurrogate(b[i]) ? (char.IsSurrogate(a[i]) ? 1 : -1) : a[i] - b[i];
        }

        return a.Length - b.Length;
    }

    public static string Join(IEnumerable<string> points) => new StringBuilder().AppendJoin("", points).ToString();

    private static int Pairs(string text, int end)
    {
        var pairs = 0;
        for (var i = 0; i + 1 < end; i++)
        {
            if (!IsPair(text, i)) continue;
            pairs++;
            i++;
        }

        return pairs;
    }

    private static bool IsPair(string text, int at) => at + 1 < text.Length && char.IsSurrogatePair(text[at], text[at + 1]);
}
