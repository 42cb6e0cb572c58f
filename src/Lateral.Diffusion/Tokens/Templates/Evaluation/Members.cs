namespace Lateral.Diffusion.Tokens.Templates;

/// <summary>Attributes, items and slices of values. What is not there is undefined and no mistake yet.</summary>
internal static class Members
{
    /// <summary><c>of.name</c>: a method where the value has one of that name, else the key.</summary>
    public static object Attribute(object of, string name, Site site)
    {
        switch (of)
        {
            case Undefined undefined:
                throw site.Fail($"{undefined.Why}, and so it has no '{name}'");
            case Loop loop:
                return loop.Get(name, site);
            case Namespace space:
                return space.Get(name) ?? Missing(of, name);
        }

        if (name.StartsWith("__", StringComparison.Ordinal)) throw site.Fail($"'{name}' is one of Python's own names, which are not implemented");
        return Methods.Of(of, name, site) ?? (of as Mapping)?.Get(name) ?? Missing(of, name);
    }

    /// <summary><c>of[key]</c>: the key where a dictionary has it, else a method.</summary>
    public static object Item(object of, object key, Site site)
    {
        if (of is Undefined undefined) throw site.Fail($"{undefined.Why}, and so nothing is in it");
        if (of is Mapping mapping && site.Get(mapping, key) is { } value) return value;
        if (Numbers.Of(key) is long index)
        {
            if (of is Sequence { HasPositions: true } sequence) return Position(sequence.Items.Count) is { } place ? sequence.Items[place] : Missing(of, index);
            if (of is string text)
            {
                site.Characters(text.Length);
                if (CodePoints.AreCharacters(text)) return Position(text.Length) is { } at ? text[at].ToString() : Missing(of, index);
                var points = CodePoints.Each(text);
                return Position(points.Length) is { } point ? points[point] : Missing(of, index);
            }
        }

        if (key is not string name) return Missing(of, key);
        return of is Mapping ? (object?)Methods.Of(of, name, site) ?? Missing(of, name) : Attribute(of, name, site);

        int? Position(int count) => index >= 0 && index < count ? (int)index : index < 0 && index >= -count ? (int)(index + count) : null;
    }

    /// <summary><c>of[from:to:step]</c>, with Python's negative positions and steps.</summary>
    public static object Slice(object of, object? from, object? to, object? step, Site site)
    {
        if (of is Undefined undefined) throw site.Fail($"{undefined.Why}, and so no part of it can be taken");
        if (of is not (string or Sequence { HasPositions: true })) throw site.Fail($"{Kinds.Of(of)} has no parts by position");
        var by = Bound(step) ?? 1;
        if (by == 0) throw site.Fail("the step of a slice cannot be zero");
        if (of is Sequence sequence)
        {
            var items = sequence.Items;
            var (first, count) = Range(items.Count);
            return site.Sequence(sequence.Kind, [.. Enumerable.Range(0, count).Select(i => items[(int)(first + (i * by))])]);
        }

        var text = (string)of;
        site.Characters(text.Length);
        var starts = CodePoints.AreCharacters(text) ? null : CodePoints.Starts(text);
        var (begin, length) = Range(starts is null ? text.Length : starts.Length - 1);
        if (by == 1) return starts is null ? text.Substring((int)begin, length) : text[starts[begin]..starts[begin + length]];
        return CodePoints.Join(Enumerable.Range(0, length).Select(i => (int)(begin + (i * by))).Select(at => starts is null ? text[at].ToString() : text[starts[at]..starts[at + 1]]));

        long? Bound(object? value) => value is null or None ? null : Numbers.Of(value) is long bound ? bound : throw site.Fail($"the bounds of a slice are integers, and not {Kinds.Of(value)}");

        // Bounds outside are moved to the nearest inside; a step as long as the whole takes one element.
        (long First, int Count) Range(long total)
        {
            by = Math.Clamp(by, -total - 1, total + 1);
            var (lowest, highest) = by > 0 ? (0L, total) : (-1L, total - 1);
            var start = Bound(from) is { } given ? Math.Clamp(given < 0 ? given + total : given, lowest, highest) : by > 0 ? lowest : highest;
            var stop = Bound(to) is { } limit ? Math.Clamp(limit < 0 ? limit + total : limit, lowest, highest) : by > 0 ? highest : lowest;
            var taken = by > 0 ? (stop - start + by - 1) / by : (start - stop - by - 1) / -by;
            return taken > 0 ? (start, (int)taken) : (0, 0);
        }
    }

    private static Undefined Missing(object of, object key) => new($"{Kinds.Of(of)} has no {key switch
    {
        string name => $"'{(name.Length <= Lexer.LongestName ? name : name[..Lexer.LongestName])}'",
        long => $"element {key}",
        _ => $"element {Kinds.Of(key)}",
    }}");
}
