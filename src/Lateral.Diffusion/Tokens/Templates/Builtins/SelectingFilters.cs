namespace Lateral.Diffusion.Tokens.Templates;

/// <summary>Filters that apply a filter or a test to every element. What they give is handed out once.</summary>
internal static class SelectingFilters
{
    public static readonly NamedFilter[] All =
    [
        new("map", null, 0, Map),
        new("select", null, 0, (site, value, arguments) => Select(site, value, arguments.All, byAttribute: false, keep: true)),
        new("reject", null, 0, (site, value, arguments) => Select(site, value, arguments.All, byAttribute: false, keep: false)),
        new("selectattr", null, 0, (site, value, arguments) => Select(site, value, arguments.All, byAttribute: true, keep: true)),
        new("rejectattr", null, 0, (site, value, arguments) => Select(site, value, arguments.All, byAttribute: true, keep: false)),
    ];

    private static object Map(Site site, object value, Bound bound)
    {
        var arguments = bound.All;
        if (arguments.Positional.Count == 0 && arguments.Named.Count > 0)
        {
            if (arguments.Named.FirstOrDefault(argument => argument.Name is not ("attribute" or "default")).Name is { } unknown) throw site.Fail($"the filter 'map' takes a filter, or attribute and default, and no '{unknown}'");
            var path = AttributePath.Of(Named("attribute") ?? throw site.Fail("the filter 'map' needs 'attribute'"), site);
            var absent = Named("default");
            return Handed(OfAny(value, site).Select(element => path.Follow(element, site, absent)), site);
        }

        if (arguments.Positional is not [string name, ..]) throw site.Fail("the filter 'map' needs a filter's name, or 'attribute'");
        var filter = FilterTable.Find(name) ?? throw site.Fail(FilterTable.NotImplemented(name));
        var rest = new Arguments([.. arguments.Positional.Skip(1)], arguments.Named);
        return Handed(OfAny(value, site).Select(element => filter.Invoke(site, element, rest)), site);

        object? Named(string wanted) => arguments.Named.FirstOrDefault(argument => argument.Name == wanted).Value;
    }

    private static object Select(Site site, object value, Arguments arguments, bool byAttribute, bool keep)
    {
        var given = arguments.Positional;
        var path = !byAttribute ? null : AttributePath.Of(given.Count > 0 ? given[0] : throw site.Fail("an attribute to select by is needed"), site);
        var rest = byAttribute ? [.. given.Skip(1)] : given;
        if (rest.Count == 0) return Handed(OfAny(value, site).Where(element => Kinds.IsTrue(Subject(element)) == keep), site);
        if (rest[0] is not string name) throw site.Fail($"a test's name is a text, and not {Kinds.Of(rest[0])}");
        var test = TestTable.Find(name) ?? throw site.Fail(TestTable.NotImplemented(name));
        var testArguments = new Arguments([.. rest.Skip(1)], arguments.Named);
        return Handed(OfAny(value, site).Where(element => Kinds.IsTrue(test.Invoke(site, Subject(element), testArguments)) == keep), site);

        object Subject(object element) => path is null ? element : path.Follow(element, site);
    }

    /// <summary>Whatever is false has no elements here, even what elsewhere has none to walk.</summary>
    private static IReadOnlyList<object> OfAny(object value, Site site) => Kinds.IsTrue(value) ? Elements.Of(value, site) : [];

    private static OneTime Handed(IEnumerable<object> elements, Site site)
    {
        var handed = new List<object>();
        foreach (var element in elements)
        {
            site.Step();
            handed.Add(element);
        }

        return new OneTime(handed);
    }
}
