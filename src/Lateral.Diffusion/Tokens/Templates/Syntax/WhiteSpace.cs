using System.Buffers;

namespace Lateral.Diffusion.Tokens.Templates;

/// <summary>White space as Python sees it: four separators below the space are some there and none in .NET.</summary>
internal static class WhiteSpace
{
    public static readonly SearchValues<char> Characters = SearchValues.Create(
        "\t\n\v\f\r\u001c\u001d\u001e\u001f \u0085\u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u2028\u2029\u202f\u205f\u3000");

    public static bool Is(char character) => Characters.Contains(character);

    public static string TrimStart(string text) => text.AsSpan().IndexOfAnyExcept(Characters) is >= 0 and var first ? text[first..] : "";

    public static string TrimEnd(string text) => text[..(text.AsSpan().LastIndexOfAnyExcept(Characters) + 1)];
}
