using System.Globalization;
using System.Text;

namespace Lateral.Diffusion.Tokens.Templates;

/// <summary>
/// The filter <c>tojson</c> as the transformers library has it: Python's json.dumps, with a space behind commas and colons and characters beyond ASCII as they are. Jinja's own, which escapes what HTML
/// would mistake, is another.
/// </summary>
internal sealed class JsonText
{
    private readonly Site _site;
    private readonly bool _ascii, _sorted;
    private readonly string? _indent;
    private readonly string _comma, _colon;
    private readonly StringBuilder _text = new();

    private JsonText(Site site, Bound arguments)
    {
        _site = site;
        _ascii = arguments.Flag(0);
        _indent = arguments[1] as string ?? (arguments[1] is null or None ? null : new string(' ', (int)Math.Clamp(arguments.Whole(1, 0), 0, 1000)));
        (_comma, _colon) = arguments[2] switch
        {
            // Between lines a comma needs no space behind it.
            null or None => (_indent is null ? ", " : ",", ": "),
            Sequence { Items: [string comma, string colon] } => (comma, colon),
            _ => throw site.Fail("the separators of tojson are two texts: what follows an item, and what follows a key"),
        };
        _sorted = arguments.Flag(3);
    }

    public static object Filter(Site site, object value, Bound arguments)
    {
        var json = new JsonText(site, arguments);
        json.Write(value, 0);
        return json._text.ToString();
    }

    private void Write(object value, int depth)
    {
        _site.Step();
        switch (value)
        {
            case string text:
                Quote(text);
                break;
            case Mapping mapping:
                var entries = mapping.Entries.Select(entry => (Key: KeyText(entry.Key), entry.Value));
                if (_sorted) entries = entries.OrderBy(entry => entry.Key, Comparer<string>.Create(CodePoints.Compare));
                Block('{', '}', entries.ToList(), depth, entry =>
                {
                    Quote(entry.Key);
                    Append(_colon);
                    Write(entry.Value, depth + 1);
                });
                break;
            case Sequence { Kind: SequenceKind.List or SequenceKind.Tuple } sequence:
                Block('[', ']', sequence.Items, depth, item => Write(item, depth + 1));
                break;
            default:
                Append(Scalar(value) ?? throw _site.Fail(value is Undefined undefined ? $"{undefined.Why}, and so it has no JSON" : $"{Kinds.Of(value)} has no JSON"));
                break;
        }
    }

    private static string? Scalar(object value) => value switch
    {
        None => "null",
        bool flag => flag ? "true" : "false",
        double.NaN => "NaN",
        double.PositiveInfinity => "Infinity",
        double.NegativeInfinity => "-Infinity",
        double number => Numbers.Text(number),
        long number => number.ToString(CultureInfo.InvariantCulture),
        _ => null,
    };

    private static string KeyText(object key) => key as string ?? Scalar(key)!;

    private void Block<T>(char open, char close, IReadOnlyList<T> items, int depth, Action<T> write)
    {
        _text.Append(open);
        foreach (var (place, item) in items.Index())
        {
            if (place > 0) Append(_comma);
            NewLine(depth + 1);
            write(item);
        }

        if (items.Count > 0) NewLine(depth);
        _text.Append(close);
    }

    private void NewLine(int depth)
    {
        if (_indent is null) return;
        _site.Characters(1 + ((long)depth * _indent.Length));
        _text.Append('\n').Insert(_text.Length, _indent, depth);
    }

    private void Append(string text)
    {
        _site.Characters(text.Length);
        _text.Append(text);
    }

    private void Quote(string text)
    {
        _site.Characters(text.Length + 2);
        var before = _text.Length;
        _text.Append('"');
        foreach (var character in text)
        {
            if (character is '"' or '\\') _text.Append('\\').Append(character);
            else if ("\b\f\n\r\t".IndexOf(character, StringComparison.Ordinal) is >= 0 and var known) _text.Append('\\').Append("bfnrt"[known]);
            else if (character < ' ' || (_ascii && character > '~')) _text.Append("\\u").Append(((int)character).ToString("x4", CultureInfo.InvariantCulture));
            else _text.Append(character);
        }

        _text.Append('"');
        // What the escapes have added.
        _site.Characters(Math.Max(0, _text.Length - before - text.Length - 2));
    }
}
