using System.Collections.Frozen;
using System.Globalization;

namespace Lateral.Diffusion.Tokens.Templates;

/// <summary>Python's methods of texts that templates use. Case is changed character by character: the few that become two (ß) stay as they are.</summary>
internal static class TextMethods
{
    public static readonly FrozenDictionary<string, Builtin> Known = Methods.Table(
        Method("strip", ["chars"], 0, (text, arguments) => Trimming.Both(text, arguments.OptionalText(0))),
        Method("lstrip", ["chars"], 0, (text, arguments) => Trimming.Start(text, arguments.OptionalText(0))),
        Method("rstrip", ["chars"], 0, (text, arguments) => Trimming.End(text, arguments.OptionalText(0))),
        Method("upper", [], 0, (text, _) => text.ToUpperInvariant()),
        Method("lower", [], 0, (text, _) => text.ToLowerInvariant()),
        Method("title", [], 0, (text, _) => Casing.Title(text)),
        Method("capitalize", [], 0, (text, _) => Casing.Capitalized(text)),
        Method("removeprefix", ["prefix"], 1, (text, arguments) => text.StartsWith(arguments.Text(0), StringComparison.Ordinal) ? text[arguments.Text(0).Length..] : text),
        Method("removesuffix", ["suffix"], 1, (text, arguments) => text.EndsWith(arguments.Text(0), StringComparison.Ordinal) ? text[..^arguments.Text(0).Length] : text),
        Method("isdigit", [], 0, (text, _) => text.Length > 0 && Enumerable.Range(0, text.Length).All(i => char.IsLowSurrogate(text[i]) || CharUnicodeInfo.GetDigitValue(text, i) >= 0)),
        Method("isspace", [], 0, (text, _) => text.Length > 0 && text.All(WhiteSpace.Is)),
        new("a text's split", ["sep", "maxsplit"], 0, (site, text, arguments) => Splitting.Split((string)text, arguments.OptionalText(0), arguments.Whole(1, -1), fromEnd: false, site)),
        new("a text's rsplit", ["sep", "maxsplit"], 0, (site, text, arguments) => Splitting.Split((string)text, arguments.OptionalText(0), arguments.Whole(1, -1), fromEnd: true, site)),
        new("a text's splitlines", ["keepends"], 0, (site, text, arguments) => Splitting.Lines((string)text, arguments.Flag(0), site)),
        new("a text's partition", ["sep"], 1, (site, text, arguments) => Splitting.Partition((string)text, arguments.Text(0), fromEnd: false, site)),
        new("a text's rpartition", ["sep"], 1, (site, text, arguments) => Splitting.Partition((string)text, arguments.Text(0), fromEnd: true, site)),
        new("a text's startswith", ["prefix"], 1, (site, text, arguments) => Any(site, arguments[0]!, ((string)text).StartsWith)),
        new("a text's endswith", ["suffix"], 1, (site, text, arguments) => Any(site, arguments[0]!, ((string)text).EndsWith)),
        new("a text's find", ["sub"], 1, (site, text, arguments) => Searching.Find((string)text, arguments.Text(0), fromEnd: false, site)),
        new("a text's rfind", ["sub"], 1, (site, text, arguments) => Searching.Find((string)text, arguments.Text(0), fromEnd: true, site)),
        new("a text's index", ["sub"], 1, (site, text, arguments) => Searching.Find((string)text, arguments.Text(0), fromEnd: false, site) is >= 0 and var at ? at : throw site.Fail("the text does not have the part that index looks for")),
        new("a text's count", ["sub"], 1, (site, text, arguments) => Searching.Count((string)text, arguments.Text(0), site)),
        new("a text's replace", ["old", "new", "count"], 2, (site, text, arguments) => Searching.Replace((string)text, arguments.Text(0), arguments.Text(1), arguments.Whole(2, -1), site)),
        new("a text's join", ["iterable"], 1, (site, text, arguments) => Searching.Join((string)text, [.. Elements.Of(arguments[0]!, site).Select(item => item as string ?? throw site.Fail($"join puts texts together, and not {Kinds.Of(item)}; use the filter 'join'"))], site)));

    public static readonly FrozenSet<string> Refused =
    [
        "casefold", "center", "encode", "expandtabs", "format", "format_map", "isalnum", "isalpha", "isascii", "isdecimal", "isidentifier", "islower", "isnumeric", "isprintable", "istitle", "isupper", "ljust",
        "maketrans", "rindex", "rjust", "swapcase", "translate", "zfill",
    ];

    /// <summary>A method that gives something no longer than the text.</summary>
    private static Builtin Method(string name, string[] parameters, int required, Func<string, Bound, object> body) => new($"a text's {name}", parameters, required, (site, of, arguments) =>
    {
        var text = (string)of;
        site.Characters(text.Length);
        return body(text, arguments);
    });

    /// <summary>One text, or a tuple of them of which any will do.</summary>
    private static bool Any(Site site, object parts, Func<string, StringComparison, bool> has)
    {
        IReadOnlyList<object> all = parts is Sequence { Kind: SequenceKind.Tuple } tuple ? tuple.Items : [parts];
        return all.Any(part =>
        {
            if (part is not string text) throw site.Fail($"a text begins and ends with texts, and not with {Kinds.Of(part)}");
            site.Characters(1 + text.Length);
            return has(text, StringComparison.Ordinal);
        });
    }
}
