using System.Globalization;
using System.Text;

namespace Lateral.Diffusion.Tokens.Templates;

/// <summary>Numbers as Python writes and reads them. Booleans are the integers 0 and 1.</summary>
internal static class Numbers
{
    /// <summary>A long for integers and booleans, a double for floats, null for anything else.</summary>
    public static object? Of(object value) => value switch
    {
        bool flag => flag ? 1L : 0L,
        long or double => value,
        _ => null,
    };

    public static double Float(object number) => number is long whole ? whole : (double)number;

    /// <summary>It is equal to an integer of 64 bits.</summary>
    public static bool IsWhole(double number) => number is >= -9223372036854775808.0 and < 9223372036854775808.0 && Math.Floor(number) == number;

    /// <summary>The fewest digits that give the same float: <c>1.0</c>, <c>1e-05</c>, <c>1e+16</c>.</summary>
    public static string Text(double number)
    {
        if (double.IsNaN(number)) return "nan";
        if (double.IsInfinity(number)) return number > 0 ? "inf" : "-inf";
        if (number == 0) return double.IsNegative(number) ? "-0.0" : "0.0";
        // .NET finds the same digits and lays them out otherwise: 1E+16, 1E-05.
        var shortest = number.ToString("R", CultureInfo.InvariantCulture).TrimStart('-').Split('E');
        var point = shortest[0].IndexOf('.', StringComparison.Ordinal) is >= 0 and var found ? found : shortest[0].Length;
        var all = shortest[0].Replace(".", "", StringComparison.Ordinal);
        var digits = all.TrimStart('0');
        // The power of ten of the first digit.
        var power = point - 1 - (all.Length - digits.Length) + (shortest.Length > 1 ? int.Parse(shortest[1], NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture) : 0);
        digits = digits.TrimEnd('0');
        var text = new StringBuilder(number < 0 ? "-" : "");
        if (power is < -4 or >= 16)
        {
            text.Append(digits[0]);
            if (digits.Length > 1) text.Append('.').Append(digits, 1, digits.Length - 1);
            return text.Append('e').Append(power < 0 ? '-' : '+').Append(Math.Abs(power).ToString("00", CultureInfo.InvariantCulture)).ToString();
        }

        if (power < 0) return text.Append("0.").Append('0', -power - 1).Append(digits).ToString();
        var whole = digits.Length > power + 1 ? digits[..(power + 1)] : digits.PadRight(power + 1, '0');
        return text.Append(whole).Append('.').Append(digits.Length > power + 1 ? digits[(power + 1)..] : "0").ToString();
    }

    /// <summary>The integer that a text spells, white space around it left out; null = it spells none.</summary>
    public static string? WholeDigits(string text)
    {
        var trimmed = WhiteSpace.TrimEnd(WhiteSpace.TrimStart(text));
        var digits = trimmed.StartsWith('-') || trimmed.StartsWith('+') ? trimmed[1..] : trimmed;
        if (!ArePlainDigits(digits)) return null;
        return (trimmed[0] == '-' ? "-" : "") + digits.Replace("_", "", StringComparison.Ordinal);
    }

    /// <summary>The float that a text spells; null = it spells none.</summary>
    public static double? Parse(string text)
    {
        var trimmed = WhiteSpace.TrimEnd(WhiteSpace.TrimStart(text)).ToLowerInvariant();
        var unsigned = trimmed.StartsWith('-') || trimmed.StartsWith('+') ? trimmed[1..] : trimmed;
        if (unsigned is "inf" or "infinity") return trimmed[0] == '-' ? double.NegativeInfinity : double.PositiveInfinity;
        if (unsigned is "nan") return double.NaN;
        if (unsigned.Length == 0 || unsigned.AsSpan().IndexOfAnyExcept("0123456789_.e+-") >= 0) return null;
        // An underscore stands between digits.
        for (var i = unsigned.IndexOf('_', StringComparison.Ordinal); i >= 0; i = unsigned.IndexOf('_', i + 1))
        {
            if (i == 0 || i + 1 == unsigned.Length || !char.IsAsciiDigit(unsigned[i - 1]) || !char.IsAsciiDigit(unsigned[i + 1])) return null;
        }

        return double.TryParse(trimmed.Replace("_", "", StringComparison.Ordinal), NumberStyles.Float, CultureInfo.InvariantCulture, out var number) ? number : null;
    }

    private static bool ArePlainDigits(string text) =>
        text.Length > 0 && char.IsAsciiDigit(text[0]) && text[^1] != '_' && !text.Contains("__", StringComparison.Ordinal) && text.All(character => char.IsAsciiDigit(character) || character == '_');
}
