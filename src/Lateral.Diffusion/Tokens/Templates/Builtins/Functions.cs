using System.Globalization;

namespace Lateral.Diffusion.Tokens.Templates;

/// <summary>The functions that every template may call.</summary>
internal static class Functions
{
    /// <summary>As many numbers as the published renderer's sandbox allows.</summary>
    private const long LongestRange = 100_000;

    // They are there in Jinja, and a template that finds them missing would go another way than it was written to.
    private static readonly HashSet<string> Refused = ["caller", "cycler", "joiner", "kwargs", "lipsum", "self", "super", "varargs"];

    /// <param name="clock">null = there is none, and strftime_now is refused</param>
    public static Scope Global(TimeProvider? clock)
    {
        var scope = new Scope(around: null);
        scope.Set("range", new Function("range", (site, arguments) => Range(site, arguments)));
        scope.Set("namespace", new Function("namespace", Namespace));
        scope.Set("dict", new Function("dict", Dictionary));
        scope.Set("raise_exception", new Function("raise_exception", (site, arguments) => throw site.Fail($"the template refuses the conversation: {Only(site, "raise_exception", arguments)}")));
        scope.Set("strftime_now", new Function("strftime_now", (site, arguments) => DateText.Of(
            Only(site, "strftime_now", arguments), (clock ?? throw site.Fail("the template asks for the date, and no clock was given to read it from")).GetLocalNow(), site)));
        return scope;
    }

    public static bool IsRefused(string name) => Refused.Contains(name);

    private static string Only(Site site, string called, Arguments arguments) =>
        arguments is { Positional: [var value], Named: [] } ? Written.Text(value, site) : throw site.Fail($"{called} takes one text");

    private static Sequence Range(Site site, Arguments arguments)
    {
        var bounds = arguments.Positional.Select(bound => Numbers.Of(bound) is long whole ? whole : throw site.Fail($"range takes integers, and not {Kinds.Of(bound)}")).ToArray();
        if (arguments.Named.Count > 0 || bounds.Length is 0 or > 3) throw site.Fail("range takes a stop, or a start, a stop and a step, without names");
        var (start, stop, step) = (bounds.Length > 1 ? bounds[0] : 0, bounds.Length > 1 ? bounds[1] : bounds[0], bounds.Length > 2 ? bounds[2] : 1);
        if (step == 0) throw site.Fail("the step of a range cannot be zero");
        var count = (step > 0 ? (Int128)stop - start + step - 1 : (Int128)start - stop - step - 1) / Int128.Abs(step);
        if (count > LongestRange) throw site.Fail($"a range has at most {LongestRange.ToString(CultureInfo.InvariantCulture)} numbers, and not {count.ToString(CultureInfo.InvariantCulture)}");
        return site.Sequence(SequenceKind.Range, [.. Enumerable.Range(0, (int)Int128.Max(count, 0)).Select(i => (object)(start + (i * step)))]);
    }

    private static object Namespace(Site site, Arguments arguments)
    {
        var space = new Namespace();
        foreach (var (key, value) in Merged(site, "namespace", arguments).Entries) space.Set(key as string ?? throw site.Fail("the fields of a namespace are texts"), value);
        return space;
    }

    private static object Dictionary(Site site, Arguments arguments) => Merged(site, "dict", arguments);

    /// <summary>A dictionary or pairs, and what the named arguments add.</summary>
    private static Mapping Merged(Site site, string called, Arguments arguments)
    {
        if (arguments.Positional.Count > 1) throw site.Fail($"{called} takes one dictionary, and names with values");
        IEnumerable<(object Key, object Value)> given = arguments.Positional switch
        {
            [] => [],
            [Undefined undefined] => throw site.Fail(undefined.Why),
            [Mapping mapping] => mapping.Entries.Select(entry => (entry.Key, entry.Value)),
            [var pairs, ..] => Elements.Of(pairs, site).Select(pair => Elements.Of(pair, site) is [var key, var value] ? (key, value) : throw site.Fail($"{called} takes a dictionary or pairs")),
        };
        return site.Dictionary(given.Concat(arguments.Named.Select(argument => ((object)argument.Name, argument.Value))));
    }
}
