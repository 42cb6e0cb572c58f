using System.Text;

namespace Lateral.Configuration;

/// <summary>
/// A resolved tree as HOCON for people: one key a line, in the order of the files. What it writes reads back to the same tree.
/// </summary>
public static class HoconWriter
{
    /// <param name="origins">ends every line with a comment that says where its value was written</param>
    public static string Write(ConfigObject root, bool origins = false)
    {
        ArgumentNullException.ThrowIfNull(root);
        var to = new StringBuilder();
        foreach (var (key, value) in root.Fields) Field(to, key, value, 0, origins);
        return to.ToString();
    }

    /// <summary>Without quotes wherever the text means the same without: <c>group-z</c>, <c>2 minutes</c>, but <c>"cuda:0"</c>.</summary>
    public static string Scalar(ConfigScalar scalar)
    {
        ArgumentNullException.ThrowIfNull(scalar);
        return scalar.Kind != ScalarKind.String || IsPlain(scalar.Text) ? scalar.Kind == ScalarKind.Null ? "null" : scalar.Text : JsonText.Quote(scalar.Text);
    }

    private static void Field(StringBuilder to, string key, ConfigValue value, int depth, bool origins)
    {
        to.Append(' ', 2 * depth).Append(ConfigPath.RenderKey(key));
        if (value is ConfigObject { Fields.Count: > 0 } section)
        {
            to.Append(" {\n");
            foreach (var (name, child) in section.Fields) Field(to, name, child, depth + 1, origins);
            to.Append(' ', 2 * depth).Append("}\n");
            return;
        }

        to.Append(value is ConfigObject ? " " : " = ");
        Value(to, value);
        // A file's name may hold a line break, which would end the comment.
        if (origins) to.Append("  # ").Append(value.Origin.ToString().ReplaceLineEndings(" "));
        to.Append('\n');
    }

    private static void Value(StringBuilder to, ConfigValue value)
    {
        switch (value)
        {
            case ConfigScalar scalar:
                to.Append(Scalar(scalar));
                break;
            case ConfigArray list:
                to.Append('[');
                for (var i = 0; i < list.Items.Count; i++)
                {
                    if (i > 0) to.Append(", ");
                    Value(to, list.Items[i]);
                }

                to.Append(']');
                break;
            default:
                // Inside a list a section has no lines of its own; JSON is HOCON.
                to.Append(CanonicalJson.Write(value, sorted: false));
                break;
        }
    }

    private static bool IsPlain(string text) =>
        text.Length > 0 && text.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_' or ' ') && char.IsAsciiLetterOrDigit(text[0]) && char.IsAsciiLetterOrDigit(text[^1])
        && !text.Contains("  ", StringComparison.Ordinal) && ConfigScalar.Unquoted(new Origin("", 0, 0), text).Kind == ScalarKind.String;
}
