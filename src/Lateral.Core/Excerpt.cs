namespace Lateral.Core;

/// <summary>What a model wrote, as messages show it: on one line, without control characters that a terminal would obey, and not at length.</summary>
public static class Excerpt
{
    private const char LineBreak = '\u23ce';

    /// <param name="length">characters shown, at most; what is left out is told by <c>...</c></param>
    public static string Of(string text, int length)
    {
        ArgumentNullException.ThrowIfNull(text);
        var shown = text.Length <= length ? text : text[..length];
        return string.Concat(shown.Select(sign => sign is '\n' or '\r' ? LineBreak : char.IsControl(sign) ? ' ' : sign)) + (shown.Length < text.Length ? "..." : "");
    }
}
