using System.Globalization;
using System.Numerics;
using System.Text.RegularExpressions;

namespace Lateral.Rewards.Tests.Mathematics;

/// <summary>
/// What an answer of MATH is worth, by another way than the verifier's: structure as text, formulas as complex numbers in floating point at fixed values of their variables, ten digits of them.
/// It knows the forms that the data has and no others, and throws where it does not understand.
/// </summary>
internal sealed partial class Fingerprint
{
    private readonly string _text;
    private int _at;

    private Fingerprint(string text) => _text = text;

    public static string Of(string answer)
    {
        var text = answer.Replace(@"\left", "", StringComparison.Ordinal).Replace(@"\right", "", StringComparison.Ordinal).Replace(@"\!", "", StringComparison.Ordinal).Replace("{,}", ",", StringComparison.Ordinal)
            .Replace(@"\$", "", StringComparison.Ordinal).Replace(@"\%", "", StringComparison.Ordinal).Replace(@"^\circ", "", StringComparison.Ordinal).Replace(@"\text{ and }", ",", StringComparison.Ordinal);
        text = Wordy().Replace(text, "").Trim();
        if (text.Length == 0) return "nothing";
        if (text.StartsWith(@"\text", StringComparison.Ordinal)) return $"text {text}";
        if (Based().IsMatch(text)) return $"base {text.Replace("{", "", StringComparison.Ordinal).Replace("}", "", StringComparison.Ordinal)}";
        if (text.StartsWith(@"\begin", StringComparison.Ordinal)) return "matrix " + string.Join(" / ", Matrix().Match(text).Groups["cells"].Value.Split(@"\\").Select(row => string.Join(' ', row.Split('&').Select(Of))));
        if (text.Split(@"\cup") is { Length: > 1 } parts) return "union " + string.Join(" | ", parts.Select(part => Of(part.Trim())).Order(StringComparer.Ordinal));
        if (Thousands().IsMatch(text)) text = text.Replace(",", "", StringComparison.Ordinal);
        if (Pieces(text) is { Length: > 1 } items) return "set " + string.Join(" , ", items.Select(Of).Distinct().Order(StringComparer.Ordinal));
        if (text[0] is '(' or '[' && text[^1] is ')' or ']' && Pieces(text[1..^1]) is { Length: > 1 } coordinates) return $"{text[0]}{string.Join(" , ", coordinates.Select(Of))}{text[^1]}";
        if (text.Split('=') is [_, var right]) return Of(right);
        var reader = new Fingerprint(text.Replace(" ", "", StringComparison.Ordinal));
        var value = reader.Sum();
        if (reader._at != reader._text.Length) throw new FormatException($"{answer}: nothing is known of '{reader._text[reader._at..]}'");
        return FormattableString.Invariant($"{Ten(value.Real)} {Ten(value.Imaginary)}");
    }

    private static string Ten(double number) => (Math.Abs(number) < 1e-12 ? 0 : number).ToString("E9", CultureInfo.InvariantCulture);

    /// <summary>What stands between commas and semicolons outside brackets.</summary>
    private static string[] Pieces(string text)
    {
        var (pieces, depth) = (new List<string> { "" }, 0);
        foreach (var character in text)
        {
            depth += character switch { '(' or '[' or '{' => 1, ')' or ']' or '}' => -1, _ => 0 };
            if (depth == 0 && character is ',' or ';') pieces.Add("");
            else pieces[^1] += character;
        }

        return [.. pieces.Select(piece => piece.Trim())];
    }

    private bool Take(string piece)
    {
        if (string.CompareOrdinal(_text, _at, piece, 0, piece.Length) != 0) return false;
        _at += piece.Length;
        return true;
    }

    private Complex Sum()
    {
        var sum = Take("-") ? -Product() : Product();
        while (true)
        {
            if (Take("+")) sum += Product();
            else if (Take("-")) sum -= Product();
            else return sum;
        }
    }

    private Complex Product()
    {
        var product = Complex.One;
        while (_at < _text.Length && "+-)}".IndexOf(_text[_at], StringComparison.Ordinal) < 0)
        {
            if (Take("/")) product /= Power();
            // The one mixed number of the data, by its own rule.
            else if (_at > 0 && char.IsAsciiDigit(_text[_at - 1]) && Take(@"\frac18")) product += .125;
            else product *= Power();
        }

        return product;
    }

    private Complex Power()
    {
        var factor = Factor();
        return Take("^") ? Complex.Pow(factor, Argument()) : factor;
    }

    /// <summary>Braces, or one character.</summary>
    private Complex Argument()
    {
        if (Take("{"))
        {
            var inner = Sum();
            return Take("}") ? inner : throw new FormatException(_text);
        }

        return char.IsAsciiDigit(_text[_at]) ? _text[_at++] - '0' : Factor();
    }

    private Complex Factor()
    {
        foreach (var command in (string[])[@"\frac", @"\dfrac", @"\tfrac"])
            if (Take(command)) return Argument() / Argument();
        if (Take(@"\sqrt")) return Complex.Sqrt(Argument());
        if (Take(@"\pi")) return Math.PI;
        if (Take(@"\infty")) return 1e300;
        if (Take(@"\csc")) return 1 / Complex.Sin(Factor());
        if (Take("("))
        {
            var inner = Sum();
            return Take(")") ? inner : throw new FormatException(_text);
        }

        if (_text[_at] == '{') return Argument();
        var begin = _at;
        while (_at < _text.Length && (char.IsAsciiDigit(_text[_at]) || _text[_at] == '.')) _at++;
        // 2^2008 is beyond floating point; its logarithm stands for it.
        if (_at > begin && Take("^{2008}")) return 2008 * Math.Log(2);
        if (_at > begin) return double.Parse(_text[begin.._at], CultureInfo.InvariantCulture);
        if (Take("i")) return Complex.ImaginaryOne;
        if (!char.IsAsciiLetter(_text[_at])) throw new FormatException($"{_text} at {_at}");
        // Any value that no coincidence is likely at.
        return .5 + Math.Sqrt(_text[_at++] * 1.7 + .37);
    }

    [GeneratedRegex(@"\\?(?: |\\ )?(?:(?<=\d *\\? ?)\\text\{[^{}]*\}|\\mbox\{[^{}]*\}(?:\^2)?)")] private static partial Regex Wordy();

    [GeneratedRegex(@"^-?\d+_\{?\d+\}?$")] private static partial Regex Based();

    [GeneratedRegex(@"^\\begin\{pmatrix\}(?<cells>.*)\\end\{pmatrix\}$", RegexOptions.Singleline | RegexOptions.ExplicitCapture)] private static partial Regex Matrix();

    [GeneratedRegex(@"^-?\d{1,3}(,\d{3})+(\.\d+)?$", RegexOptions.ExplicitCapture)] private static partial Regex Thousands();
}
