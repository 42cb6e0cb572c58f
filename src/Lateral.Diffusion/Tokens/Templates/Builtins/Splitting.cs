namespace Lateral.Diffusion.Tokens.Templates;

/// <summary>A text's parts.</summary>
internal static class Splitting
{
    /// <param name="separator">null = runs of white space, and none at the ends</param>
    /// <param name="most">how often it is split at most; negative = as often as there are separators</param>
    /// <param name="fromEnd">where <paramref name="most"/> ends it, what is left stands at the beginning</param>
    public static Sequence Split(string text, string? separator, long most, bool fromEnd, Site site)
    {
        if (separator is { Length: 0 }) throw site.Fail("a text cannot be split at an empty separator");
        site.Characters(text.Length);
        site.Search(text.Length, separator?.Length ?? 1);
        if (most < 0) most = long.MaxValue;
        var parts = separator is null ? AtWhiteSpace(text, most, fromEnd, site) : fromEnd ? AtLast(text, separator, most, site) : AtFirst(text, separator, most, site);
        return site.List(parts);
    }

    public static Sequence Lines(string text, bool keepEnds, Site site)
    {
        site.Characters(text.Length);
        var lines = new List<object>();
        for (var at = 0; at < text.Length;)
        {
            site.Step();
            var end = text.AsSpan(at).IndexOfAny("\n\r\v\f\u001c\u001d\u001e\u0085\u2028\u2029") is >= 0 and var found ? at + found : text.Length;
            var next = end < text.Length ? end + (text[end] == '\r' && end + 1 < text.Length && text[end + 1] == '\n' ? 2 : 1) : end;
            lines.Add(text[at..(keepEnds ? next : end)]);
            at = next;
        }

        return site.List(lines);
    }

    /// <summary>What is before a separator, the separator, and what is behind it.</summary>
    public static Sequence Partition(string text, string separator, bool fromEnd, Site site)
    {
        if (separator.Length == 0) throw site.Fail("a text cannot be split at an empty separator");
        site.Characters(text.Length);
        site.Search(text.Length, separator.Length);
        var at = fromEnd ? text.LastIndexOf(separator, StringComparison.Ordinal) : text.IndexOf(separator, StringComparison.Ordinal);
        object[] whole = fromEnd ? ["", "", text] : [text, "", ""];
        return site.Sequence(SequenceKind.Tuple, at < 0 ? whole : [text[..at], separator, text[(at + separator.Length)..]]);
    }

    private static List<object> AtFirst(string text, string separator, long most, Site site)
    {
        var (parts, at) = (new List<object>(), 0);
        while (parts.Count < most && text.IndexOf(separator, at, StringComparison.Ordinal) is >= 0 and var found)
        {
            site.Step();
            parts.Add(text[at..found]);
            at = found + separator.Length;
        }

        parts.Add(text[at..]);
        return parts;
    }

    private static List<object> AtLast(string text, string separator, long most, Site site)
    {
        var (parts, end) = (new List<object>(), text.Length);
        while (parts.Count < most && text.AsSpan(0, end).LastIndexOf(separator, StringComparison.Ordinal) is >= 0 and var found)
        {
            site.Step();
            parts.Add(text[(found + separator.Length)..end]);
            end = found;
        }

        parts.Add(text[..end]);
        parts.Reverse();
        return parts;
    }

    private static List<object> AtWhiteSpace(string text, long most, bool fromEnd, Site site)
    {
        var parts = new List<object>();
        var (begin, end) = (0, text.Length);
        while (true)
        {
            // Only where it goes on: what is left at the other end keeps its white space.
            while (!fromEnd && begin < end && WhiteSpace.Is(text[begin])) begin++;
            while (fromEnd && end > begin && WhiteSpace.Is(text[end - 1])) end--;
            if (begin == end) break;
            site.Step();
            var rest = text.AsSpan(begin, end - begin);
            var space = parts.Count >= most ? -1 : fromEnd ? rest.LastIndexOfAny(WhiteSpace.Characters) : rest.IndexOfAny(WhiteSpace.Characters);
            if (space < 0)
            {
                parts.Add(rest.ToString());
                break;
            }

            parts.Add((fromEnd ? rest[(space + 1)..] : rest[..space]).ToString());
            (begin, end) = fromEnd ? (begin, begin + space) : (begin + space, end);
        }

        if (fromEnd) parts.Reverse();
        return parts;
    }
}
