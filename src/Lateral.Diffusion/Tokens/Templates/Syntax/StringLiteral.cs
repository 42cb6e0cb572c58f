using System.Globalization;
using System.Text;

namespace Lateral.Diffusion.Tokens.Templates;

/// <summary>What a string literal means: Python's escapes. A backslash before anything else stays a backslash.</summary>
internal static class StringLiteral
{
    /// <param name="written">what stands between the quotes</param>
    /// <param name="fail">makes the mistake at an offset</param>
    public static string Meaning(string written, Func<int, string, TemplateException> fail)
    {
        if (!written.Contains('\\', StringComparison.Ordinal)) return written;
        var meaning = new StringBuilder(written.Length);
        for (var at = 0; at < written.Length;)
        {
            if (written[at] != '\\') meaning.Append(written[at++]);
            else at += Escape(written, at, meaning, fail);
        }

        return meaning.ToString();
    }

    /// <returns>the length of the escape</returns>
    private static int Escape(string written, int at, StringBuilder meaning, Func<int, string, TemplateException> fail)
    {
        // The literal's end was looked for with escapes in mind, so a character follows.
        var letter = written[at + 1];
        switch (letter)
        {
            case '\n':
                return 2;
            case 'x':
                return Code(2);
            case 'u':
                return Code(4);
            case 'U':
                return Code(8);
            case >= '0' and <= '7':
                var digits = 1;
                while (digits < 3 && at + 1 + digits < written.Length && written[at + 1 + digits] is >= '0' and <= '7') digits++;
                meaning.Append((char)Convert.ToInt32(written.Substring(at + 1, digits), 8));
                return digits + 1;
            case 'N':
                throw fail(at, @"characters by name (\N{...}) are not implemented; write the character or its number (\u...)");
            case > '\u007f':
                throw fail(at, @"a backslash before a character beyond ASCII is not implemented; write two for a backslash");
        }

        if (@"\'""abfnrtv".IndexOf(letter, StringComparison.Ordinal) is >= 0 and var known) meaning.Append("\\'\"\a\b\f\n\r\t\v"[known]);
        else meaning.Append('\\').Append(letter);
        return 2;

        int Code(int length)
        {
            if (at + 2 + length > written.Length || !uint.TryParse(written.AsSpan(at + 2, length), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var code) || code > 0x10ffff)
                throw fail(at, $@"\{letter} needs the {length} hexadecimal digits of a character");
            if (code < 0x10000) meaning.Append((char)code);
            else meaning.Append(char.ConvertFromUtf32((int)code));
            return length + 2;
        }
    }
}
