namespace Lateral.Diffusion.Tokens.Templates;

/// <summary>Takes characters off a text's ends: those given, or white space.</summary>
internal static class Trimming
{
    public static string Both(string text, string? characters) => Start(End(text, characters), characters);

    public static string Start(string text, string? characters)
    {
        if (characters is null) return WhiteSpace.TrimStart(text);
        var (set, begin) = (Points(characters), 0);
        while (begin < text.Length && CodePoints.LengthAt(text, begin) is var length && set.Contains(text.AsSpan(begin, length))) begin += length;
        return text[begin..];
    }

    public static string End(string text, string? characters)
    {
        if (characters is null) return WhiteSpace.TrimEnd(text);
        var (set, end) = (Points(characters), text.Length);
        while (end > 0 && CodePoints.LengthBefore(text, end) is var length && set.Contains(text.AsSpan(end - length, length))) end -= length;
        return text[..end];
    }

    private static HashSet<string>.AlternateLookup<ReadOnlySpan<char>> Points(string characters) => CodePoints.Each(characters).ToHashSet(StringComparer.Ordinal).GetAlternateLookup<ReadOnlySpan<char>>();
}
