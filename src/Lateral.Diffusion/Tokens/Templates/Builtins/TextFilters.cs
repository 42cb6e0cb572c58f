using System.Text;

namespace Lateral.Diffusion.Tokens.Templates;

/// <summary>Filters that give texts and numbers. What is no text is written as one first.</summary>
internal static class TextFilters
{
    public static readonly NamedFilter[] All =
    [
        Text("trim", ["chars"], (text, arguments) => Trimming.Both(text, arguments.OptionalText(0))),
        Text("upper", [], (text, _) => text.ToUpperInvariant()),
        Text("lower", [], (text, _) => text.ToLowerInvariant()),
        Text("title", [], (text, _) => Casing.TitleOfWords(text)),
        Text("capitalize", [], (text, _) => Casing.Capitalized(text)),
        Text("string", [], (text, _) => text),
        // It marks a text as HTML, and nothing here writes HTML.
        Text("safe", [], (text, _) => text),
        new("replace", ["old", "new", "count"], 2, (site, value, arguments) =>
            Searching.Replace(Written.Text(value, site), Written.Text(arguments[0]!, site), Written.Text(arguments[1]!, site), arguments.Whole(2, -1), site)),
        new("indent", ["width", "first", "blank"], 0, Indent),
        new("int", ["default", "base"], 0, Int),
        new("float", ["default"], 0, Float),
        new("default", ["default_value", "boolean"], 0, Default),
        new("d", ["default_value", "boolean"], 0, Default),
        new("tojson", ["ensure_ascii", "indent", "separators", "sort_keys"], 0, JsonText.Filter),
    ];

    private static NamedFilter Text(string name, string[] parameters, Func<string, Bound, string> body) =>
        new(name, parameters, 0, (site, value, arguments) => body(site.Made(Written.Text(value, site)), arguments));

    private static object Default(Site site, object value, Bound arguments) => value is Undefined || (arguments.Flag(1) && !Kinds.IsTrue(value)) ? arguments.Value(0, "") : value;

    private static object Float(Site site, object value, Bound arguments) => value switch
    {
        Undefined undefined => throw site.Fail(undefined.Why),
        string text => Numbers.Parse(site.Made(text)) ?? arguments.Value(0, 0.0),
        _ => Numbers.Of(value) is { } number ? Numbers.Float(number) : arguments.Value(0, 0.0),
    };

    private static object Int(Site site, object value, Bound arguments)
    {
        if (value is Undefined undefined) throw site.Fail(undefined.Why);
        if (arguments.Whole(1, 10) != 10) throw site.Fail("the filter 'int' is implemented for base 10 alone");
        if (value is string text && Numbers.WholeDigits(site.Made(text)) is { } digits) return long.TryParse(digits, out var number) ? number : throw site.Fail($"{digits} does not fit into 64 bits");
        if (Numbers.Of(value) is long whole) return whole;
        var real = value is double given ? given : value is string spelled ? Numbers.Parse(spelled) : null;
        // A text that spells infinity is no integer; infinity itself is a mistake.
        if (real is null || double.IsNaN(real.Value) || (double.IsInfinity(real.Value) && value is string)) return arguments.Value(0, 0L);
        return Numbers.IsWhole(Math.Truncate(real.Value)) ? (long)real.Value : throw site.Fail($"{Numbers.Text(real.Value)} does not fit into 64 bits");
    }

    private static object Indent(Site site, object value, Bound arguments)
    {
        if (value is not string text) throw site.Fail($"the filter 'indent' is for texts, and not for {Kinds.Of(value)}");
        var width = arguments[0] as string ?? new string(' ', (int)Math.Clamp(arguments.Whole(0, 4), 0, 1000));
        // The line feed more keeps the one that may end the text.
        var lines = Splitting.Lines(text + "\n", keepEnds: false, site).Items;
        site.Characters(text.Length + ((long)lines.Count * (width.Length + 1)));
        var blank = arguments.Flag(2);
        var result = new StringBuilder(arguments.Flag(1) ? width : "");
        foreach (var (place, line) in lines.Index())
        {
            if (place > 0) result.Append('\n').Append(blank || line is not "" ? width : "");
            result.Append((string)line);
        }

        return result.ToString();
    }
}
