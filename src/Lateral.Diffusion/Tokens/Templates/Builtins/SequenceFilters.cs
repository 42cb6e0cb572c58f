namespace Lateral.Diffusion.Tokens.Templates;

/// <summary>Filters of sequences and dictionaries.</summary>
internal static class SequenceFilters
{
    public static readonly NamedFilter[] All =
    [
        new("length", [], 0, (site, value, _) => Elements.Count(value, site)),
        new("count", [], 0, (site, value, _) => Elements.Count(value, site)),
        new("first", [], 0, (site, value, _) => value is OneTime oneTime ? oneTime.TakeOne() ?? Empty("first") : Elements.Of(value, site) is [var first, ..] ? first : Empty("first")),
        new("last", [], 0, Last),
        new("list", [], 0, (site, value, _) => site.List(Elements.Of(value, site))),
        new("join", ["d", "attribute"], 0, Join),
        new("reverse", [], 0, Reverse),
        new("sort", ["reverse", "case_sensitive", "attribute"], 0, (site, value, arguments) =>
            site.List(Sorting.Sort(Elements.Of(value, site), arguments[2] is null or None ? null : AttributePath.Of(arguments[2]!, site), arguments.Flag(0), arguments.Flag(1), site))),
        new("unique", ["case_sensitive", "attribute"], 0, Unique),
        new("items", [], 0, (site, value, _) => value switch
        {
            Mapping mapping => new OneTime(Methods.Pairs(mapping, site)),
            Undefined => new OneTime([]),
            _ => throw site.Fail($"items are of a dictionary, and not of {Kinds.Of(value)}"),
        }),
        new("dictsort", ["case_sensitive", "by", "reverse"], 0, DictSort),
    ];

    private static Undefined Empty(string filter) => new($"there is no {filter} element");

    private static object Last(Site site, object value, Bound arguments)
    {
        if (value is OneTime) throw site.Fail($"the filter 'last' goes backwards, which {Kinds.Of(value)} does not");
        return Elements.Of(value, site) is [.., var last] ? last : Empty("last");
    }

    private static object Join(Site site, object value, Bound arguments)
    {
        var path = arguments[1] is null or None ? null : AttributePath.Of(arguments[1]!, site);
        return Searching.Join(Written.Text(arguments.Value(0, ""), site), [.. Elements.Of(value, site).Select(item => Written.Text(path is null ? item : path.Follow(item, site), site))], site);
    }

    private static object Reverse(Site site, object value, Bound arguments)
    {
        if (value is string text)
        {
            site.Characters(text.Length);
            return CodePoints.Join(CodePoints.Each(text).Reverse());
        }

        var elements = Elements.Of(value, site);
        site.Step(elements.Count);
        object[] reversed = [.. elements.Reverse()];
        return value is OneTime ? site.List(reversed) : new OneTime(reversed);
    }

    private static object Unique(Site site, object value, Bound arguments)
    {
        var path = arguments[1] is null or None ? null : AttributePath.Of(arguments[1]!, site);
        // A dictionary's keys are what Python takes for equal.
        var (seen, undefined, unique) = (new Mapping(), false, new List<object>());
        foreach (var item in Elements.Of(value, site))
        {
            var key = Sorting.Folded(path is null ? item : path.Follow(item, site), arguments.Flag(0), site);
            if (key is Undefined && !undefined)
            {
                undefined = true;
                unique.Add(item);
            }

            if (key is Undefined) continue;
            if (!Mapping.IsKey(key)) throw site.Fail($"the filter 'unique' is for texts, numbers, booleans and none, and not for {Kinds.Of(key)}");
            if (site.Get(seen, key) is not null) continue;
            seen.Add(key, true);
            unique.Add(item);
        }

        site.Step(unique.Count);
        return new OneTime(unique);
    }

    private static object DictSort(Site site, object value, Bound arguments)
    {
        if (value is not Mapping mapping) throw site.Fail($"the filter 'dictsort' is for dictionaries, and not for {Kinds.Of(value)}");
        var by = arguments.OptionalText(1) ?? "key";
        if (by is not ("key" or "value")) throw site.Fail($"dictsort sorts by 'key' or 'value', and not by '{by}'");
        return site.List(Sorting.Sort(Methods.Pairs(mapping, site), AttributePath.At(by == "key" ? 0 : 1), arguments.Flag(2), arguments.Flag(0), site));
    }
}
