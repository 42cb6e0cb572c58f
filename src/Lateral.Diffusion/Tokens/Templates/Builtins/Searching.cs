using System.Text;

namespace Lateral.Diffusion.Tokens.Templates;

/// <summary>Parts of texts found, counted, replaced and put together.</summary>
internal static class Searching
{
    /// <summary>The code points before the part; -1 where it is not there.</summary>
    public static long Find(string text, string part, bool fromEnd, Site site)
    {
        site.Search(text.Length, part.Length);
        var at = fromEnd ? text.LastIndexOf(part, StringComparison.Ordinal) : text.IndexOf(part, StringComparison.Ordinal);
        return at < 0 ? -1 : CodePoints.Before(text, at);
    }

    /// <summary>Places that do not overlap; an empty part is before every code point and at the end.</summary>
    public static long Count(string text, string part, Site site)
    {
        site.Search(text.Length, part.Length);
        if (part.Length == 0) return CodePoints.Count(text) + 1L;
        var count = 0L;
        for (var at = text.IndexOf(part, StringComparison.Ordinal); at >= 0; at = text.IndexOf(part, at + part.Length, StringComparison.Ordinal)) count++;
        return count;
    }

    /// <param name="most">how many at most; negative = all</param>
    public static string Replace(string text, string old, string replacement, long most, Site site)
    {
        var places = Count(text, old, site);
        if (most >= 0) places = Math.Min(places, most);
        if (places == 0) return text;
        // Before it is made: an empty text is replaced between all characters.
        site.Characters(text.Length + (places * replacement.Length));
        return old.Length == 0 ? Between(text, replacement, places) : At(text, old, replacement, places);
    }

    public static string Join(string between, IReadOnlyList<string> parts, Site site)
    {
        site.Step(parts.Count);
        site.Characters(parts.Sum(part => (long)part.Length) + ((long)between.Length * Math.Max(0, parts.Count - 1)));
        return string.Join(between, parts);
    }

    private static string At(string text, string old, string replacement, long places)
    {
        var (result, at) = (new StringBuilder(), 0);
        for (; places > 0; places--)
        {
            var found = text.IndexOf(old, at, StringComparison.Ordinal);
            result.Append(text, at, found - at).Append(replacement);
            at = found + old.Length;
        }

        return result.Append(text, at, text.Length - at).ToString();
    }

    private static string Between(string text, string replacement, long places)
    {
        var result = new StringBuilder();
        foreach (var point in CodePoints.Each(text).Append(""))
        {
            if (places-- > 0) result.Append(replacement);
            result.Append(point);
        }

        return result.ToString();
    }
}
