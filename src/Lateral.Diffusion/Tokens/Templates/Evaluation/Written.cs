using System.Globalization;
using System.Text;

namespace Lateral.Diffusion.Tokens.Templates;

/// <summary>Values as text, as Python's str() and repr() write them.</summary>
internal static class Written
{
    /// <summary>What <c>{{ value }}</c> writes.</summary>
    public static string Text(object value, Site site)
    {
        if (value is string text) return text;
        if (value is Undefined) return "";
        if (Scalar(value) is { } scalar) return scalar;
        var writer = new StringBuilder();
        Write(value, writer, site);
        return writer.ToString();
    }

    private static string? Scalar(object value) => value switch
    {
        None => "None",
        bool flag => flag ? "True" : "False",
        long number => number.ToString(CultureInfo.InvariantCulture),
        double number => Numbers.Text(number),
        _ => null,
    };

    private static void Write(object value, StringBuilder writer, Site site)
    {
        site.Step();
        var before = writer.Length;
        switch (value)
        {
            case Sequence { Kind: not SequenceKind.Range } sequence:
                WriteSequence(sequence, writer, site);
                return;
            case Mapping mapping:
                writer.Append('{');
                foreach (var (place, entry) in mapping.Entries.Index())
                {
                    if (place > 0) writer.Append(", ");
                    Write(entry.Key, writer, site);
                    writer.Append(": ");
                    Write(entry.Value, writer, site);
                }

                writer.Append('}');
                return;
            case string text:
                // What it is at most: \U and eight digits for two characters.
                site.Characters(text.Length);
                Quote(text, writer);
                break;
            case Undefined:
                writer.Append("Undefined");
                break;
            default:
                writer.Append(Scalar(value) ?? throw site.Fail($"{Kinds.Of(value)} cannot be written as text"));
                break;
        }

        site.Characters(writer.Length - before);
    }

    private static void WriteSequence(Sequence sequence, StringBuilder writer, Site site)
    {
        var (open, close) = sequence.Kind switch
        {
            SequenceKind.List => ("[", "]"),
            // A tuple of one keeps its comma.
            SequenceKind.Tuple => ("(", sequence.Items.Count == 1 ? ",)" : ")"),
            SequenceKind.Keys => ("dict_keys([", "])"),
            SequenceKind.Values => ("dict_values([", "])"),
            _ => ("dict_items([", "])"),
        };
        writer.Append(open);
        foreach (var (place, item) in sequence.Items.Index())
        {
            if (place > 0) writer.Append(", ");
            Write(item, writer, site);
        }

        writer.Append(close);
    }

    private static void Quote(string text, StringBuilder writer)
    {
        var quote = text.Contains('\'', StringComparison.Ordinal) && !text.Contains('"', StringComparison.Ordinal) ? '"' : '\'';
        writer.Append(quote);
        foreach (var point in CodePoints.Each(text))
        {
            var code = point.Length == 2 ? char.ConvertToUtf32(point[0], point[1]) : point[0];
            if (point is "\\" || point[0] == quote) writer.Append('\\').Append(point);
            else if (point is "\n" or "\r" or "\t") writer.Append('\\').Append(point switch { "\n" => 'n', "\r" => 'r', _ => 't' });
            else if (IsPrintable(point)) writer.Append(point);
            else writer.Append(code < 0x100 ? $"\\x{code:x2}" : code < 0x10000 ? $"\\u{code:x4}" : $"\\U{code:x8}");
        }

        writer.Append(quote);
    }

    private static bool IsPrintable(string point) => point is " " || CharUnicodeInfo.GetUnicodeCategory(point, 0) is not (
        UnicodeCategory.Control or UnicodeCategory.Format or UnicodeCategory.Surrogate or UnicodeCategory.PrivateUse or UnicodeCategory.OtherNotAssigned
        or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator or UnicodeCategory.SpaceSeparator);
}
