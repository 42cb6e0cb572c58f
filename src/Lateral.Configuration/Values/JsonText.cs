using System.Globalization;
using System.Text;

namespace Lateral.Configuration;

/// <summary>JSON string literals. Control characters and lone surrogates are escaped, so every .NET string survives the round trip.</summary>
internal static class JsonText
{
    public static string Quote(string text)
    {
        var to = new StringBuilder(text.Length + 2);
        Quote(to, text);
        return to.ToString();
    }

    public static void Quote(StringBuilder to, string text)
    {
        to.Append('"');
        for (var i = 0; i < text.Length; i++)
        {
            var c = text[i];
            if (char.IsHighSurrogate(c) && i + 1 < text.Length && char.IsLowSurrogate(text[i + 1])) to.Append(c).Append(text[++i]);
            else if (c is '"' or '\\') to.Append('\\').Append(c);
            else if (c == '\n') to.Append("\\n");
            else if (c == '\t') to.Append("\\t");
            else if (c == '\r') to.Append("\\r");
            else if (char.IsControl(c) || char.IsSurrogate(c) || c is '\u2028' or '\u2029') to.Append("\\u").Append(((int)c).ToString("x4", CultureInfo.InvariantCulture));
            else to.Append(c);
        }

        to.Append('"');
    }
}
