using System.Text;

namespace Lateral.Diffusion.Tokens.Templates;

/// <summary>Capital letters, where Python and Jinja put them.</summary>
internal static class Casing
{
    /// <summary>The first letter is a capital and no other is.</summary>
    public static string Capitalized(string text)
    {
        if (text.Length == 0) return text;
        var first = text.Length > 1 && char.IsSurrogatePair(text[0], text[1]) ? 2 : 1;
        return text[..first].ToUpperInvariant() + text[first..].ToLowerInvariant();
    }

    /// <summary>The method: a letter behind anything that is none is a capital, an apostrophe's too (<c>They'Re</c>).</summary>
    public static string Title(string text) => Changed(text, before => !char.IsLetter(before));

    /// <summary>The filter: words begin behind white space, a hyphen or an opening bracket.</summary>
    public static string TitleOfWords(string text) => Changed(text, before => before is '-' or '(' or '{' or '[' or '<' || WhiteSpace.Is(before));

    private static string Changed(string text, Func<char, bool> begins)
    {
        var changed = new StringBuilder(text.Length);
        for (var i = 0; i < text.Length; i++) changed.Append(i == 0 || begins(text[i - 1]) ? char.ToUpperInvariant(text[i]) : char.ToLowerInvariant(text[i]));
        return changed.ToString();
    }
}
