using System.Globalization;
using System.Numerics;
using System.Text.RegularExpressions;

namespace Lateral.Rewards.Tests.Mathematics;

/// <summary>Other ways in which people and models write an answer of MATH: rules of text, each for the answers that it fits.</summary>
internal static partial class Spellings
{
    public static IEnumerable<(string Rule, string Spelling)> Of(string answer)
    {
        foreach (var (rule, spelling) in Everywhere(answer).Concat(Fractions(answer)).Concat(Numbers(answer)).Concat(Signs(answer)).Concat(Structures(answer)).Concat(Expressions(answer)))
            if (spelling != answer) yield return (rule, spelling);
    }

    private static IEnumerable<(string, string)> Everywhere(string answer)
    {
        yield return ("dollars around", $"${answer}$");
        yield return ("spaces around", $"  {answer}\n");
        yield return ("braces around", $"{{{answer}}}");
        yield return ("full stop", $"{answer}.");
        yield return ("display style", $@"\displaystyle {answer}");
        if (!answer.Contains(@"\text", StringComparison.Ordinal) && !answer.Contains(@"\mbox", StringComparison.Ordinal))
        {
            yield return ("spaces at signs", AtSigns().Replace(answer, " $0 "));
            yield return ("no spaces", CommandSpace().Replace(answer, "{}").Replace(" ", "", StringComparison.Ordinal).Replace("{}", " ", StringComparison.Ordinal));
            yield return ("thin spaces", answer.Replace(" ", @"\, ", StringComparison.Ordinal));
        }

        if (!answer.Contains(@"\left", StringComparison.Ordinal) && !answer.Contains(@"\text", StringComparison.Ordinal)) yield return ("left and right", Close().Replace(Open().Replace(answer, @"\left$0"), @"\right$0"));
        yield return ("no left and right", answer.Replace(@"\left", "", StringComparison.Ordinal).Replace(@"\right", "", StringComparison.Ordinal));
        yield return ("minus sign", answer.Contains(@"\text", StringComparison.Ordinal) ? answer : answer.Replace('-', '−'));
    }

    private static IEnumerable<(string, string)> Fractions(string answer)
    {
        foreach (var command in (string[])[@"\frac", @"\dfrac", @"\tfrac", @"\cfrac"]) yield return (command, FractionCommand().Replace(answer, command));
        yield return ("short fractions", BracedDigits().Replace(answer, @"\frac$1$2"));
        yield return ("braced fractions", ShortDigits().Replace(answer, @"\frac{$1}{$2}"));
        yield return ("slashes", WholeFraction().Replace(answer, "($1/$2)"));
        if (WholeFractionAlone().Match(answer) is not { Success: true } match) yield break;
        var (sign, a, b) = (match.Groups[1].Value, int.Parse(match.Groups[2].Value, CultureInfo.InvariantCulture), int.Parse(match.Groups[3].Value, CultureInfo.InvariantCulture));
        yield return ("slash alone", $"{sign}{a}/{b}");
        yield return ("spaced slash", $"{sign} {a} / {b}");
        yield return ("sign inside", $@"\frac{{{sign}{a}}}{{{b}}}");
        yield return ("not in lowest terms", $@"{sign}\frac{{{6 * a}}}{{{6 * b}}}");
        yield return ("as a power", $"{sign}{a} \\cdot {b}^{{-1}}");
        if (a > b)
        {
            yield return ("mixed number", $@"{sign}{a / b}\frac{{{a % b}}}{{{b}}}");
            yield return ("mixed number in plain", $"{sign}{a / b} {a % b}/{b}");
        }

        // A fraction ends in decimals where its denominator divides a power of ten.
        for (var places = 1; places <= 15; places++)
        {
            if (BigInteger.Pow(10, places) * a % b != 0) continue;
            var digits = (BigInteger.Pow(10, places) * a / b).ToString(CultureInfo.InvariantCulture).PadLeft(places + 1, '0');
            yield return ("decimals", $"{sign}{digits[..^places]}.{digits[^places..]}");
            yield return ("more decimals", $"{sign}{digits[..^places]}.{digits[^places..]}00");
            if (a < b) yield return ("decimals without a zero", $"{sign}.{digits[^places..]}");
            break;
        }
    }

    private static IEnumerable<(string, string)> Numbers(string answer)
    {
        if (Grouped().IsMatch(answer)) yield return ("without separators", answer.Replace(@",\!", "", StringComparison.Ordinal).Replace("{,}", "", StringComparison.Ordinal));
        if (!Number().IsMatch(answer)) yield break;
        yield return ("named", $"x = {answer}");
        yield return ("named without spaces", $"n={answer}");
        yield return ("in parentheses", $"({answer})");
        yield return ("percent", $@"{answer}\%");
        yield return ("degrees", $@"{answer}^\circ");
        yield return ("braced degrees", $@"{answer}^{{\circ}}");
        yield return ("currency", $@"\${answer}");
        yield return ("words", $@"{answer}\text{{ apples}}");
        yield return ("a unit", $@"{answer} \text{{ cm}}");
        yield return ("a squared unit", $@"{answer} \mbox{{ cm}}^2");
        yield return ("plain words", $"{answer} square units");
        yield return ("as text", $@"\text{{{answer}}}");
        yield return ("as a set", $@"\{{{answer}\}}");
        yield return ("times one", $@"1 \cdot {answer}");
        if (!answer.Contains('.', StringComparison.Ordinal))
        {
            yield return ("point nothing", $"{answer}.0");
            yield return ("over one", $@"\frac{{{answer}}}{{1}}");
            var number = BigInteger.Parse(answer, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture);
            yield return ("a difference", $"{number + 12} - 12");
            if (BigInteger.Abs(number) < 1000) yield break;
            var grouped = number.ToString("N0", CultureInfo.InvariantCulture);
            foreach (var separator in (string[])[",", "{,}", @",\!", @"\,"]) yield return ($"thousands by {separator}", grouped.Replace(",", separator, StringComparison.Ordinal));
            yield return ("scientific", $@"{number / 1000}.{BigInteger.Abs(number) % 1000:000} \times 10^3");
        }
        else yield return ("trailing zero", $"{answer}0");
    }

    private static IEnumerable<(string, string)> Signs(string answer)
    {
        yield return ("pi", PiCommand().Replace(answer, "π"));
        yield return ("infinity", answer.Replace(@"\infty", "∞", StringComparison.Ordinal));
        yield return ("signed infinity", PlainInfinity().Replace(answer, @"+\infty"));
        yield return ("union", answer.Replace(@"\cup", "∪", StringComparison.Ordinal));
        yield return ("bare roots", BracedRoot().Replace(answer, @"\sqrt$1"));
        yield return ("braced roots", BareRoot().Replace(answer, @"\sqrt{$1}"));
        yield return ("plain roots", AnyRoot().Replace(answer, "sqrt(${n})"));
        yield return ("root signs", AnyRoot().Replace(answer, "√(${n})"));
        yield return ("roots as powers", AnyRoot().Replace(answer, @"(${n})^{\frac12}"));
        yield return ("dots", Adjacent().Replace(answer, @"$1 \cdot $2"));
        yield return ("crosses", Adjacent().Replace(answer, @"$1 \times $2"));
        yield return ("stars", Adjacent().Replace(answer, "$1*$2"));
        yield return ("braced exponents", Exponent().Replace(answer, "^{$1}"));
        yield return ("bare exponents", BracedExponent().Replace(answer, "^$1"));
        yield return ("double stars", Exponent().Replace(answer, "**$1"));
        yield return ("braced base", Base().Replace(answer, "_{$1}"));
        yield return ("bare base", BracedBase().Replace(answer, "_$1"));
        yield return ("plain degrees", answer.Replace(@"^\circ", "°", StringComparison.Ordinal));
        yield return ("degrees in words", Single(answer, @"^\circ") ? answer.Replace(@"^\circ", " degrees", StringComparison.Ordinal) : answer);
        yield return ("percent sign", answer.Replace(@"\%", "%", StringComparison.Ordinal));
        yield return ("percent in words", answer.Replace(@"\%", " percent", StringComparison.Ordinal));
        yield return ("mbox", answer.Replace(@"\text", @"\mbox", StringComparison.Ordinal));
        yield return ("textbf", answer.Replace(@"\text", @"\textbf", StringComparison.Ordinal));
        if (TextAlone().Match(answer) is { Success: true } text)
        {
            yield return ("plain text", text.Groups[1].Value);
            yield return ("small letters", text.Groups[1].Value.StartsWith('(') ? answer : text.Groups[1].Value.ToLowerInvariant());
        }
    }

    private static IEnumerable<(string, string)> Structures(string answer)
    {
        if (answer.Contains("pmatrix", StringComparison.Ordinal))
        {
            yield return ("bmatrix", answer.Replace("pmatrix", "bmatrix", StringComparison.Ordinal));
            yield return ("last row ends", answer.Replace(@"\end", @"\\ \end", StringComparison.Ordinal));
            yield break;
        }

        if (answer.Split(@"\cup") is { Length: > 1 } parts)
        {
            yield return ("union turned round", string.Join(@" \cup ", parts.Reverse()));
            yield break;
        }

        if (Ray().Match(answer) is { Success: true } ray)
        {
            var (open, from, to, close) = (ray.Groups[1].Value, ray.Groups[2].Value, ray.Groups[3].Value, ray.Groups[4].Value);
            var (below, above) = (open == "[" ? @"\le" : "<", close == "]" ? @"\leq" : "<");
            if (to.Contains(@"\infty", StringComparison.Ordinal)) yield return ("inequality", $"x {(open == "[" ? @"\ge" : ">")} {from}");
            else if (from.Contains(@"\infty", StringComparison.Ordinal)) yield return ("inequality", $"x {above} {to}");
            else yield return ("inequalities", $"{from} {below} x {above} {to}");
            yield return ("element of", $@"x \in {answer}");
        }

        if (answer.StartsWith('(') || answer.StartsWith('[') || answer.StartsWith(@"\left", StringComparison.Ordinal)) yield break;
        if (answer.Split(',') is not { Length: > 1 } items || Grouped().IsMatch(answer) || Number().IsMatch(answer.Replace(",", "", StringComparison.Ordinal)) && items.Any(item => item.Length == 3)) yield break;
        yield return ("list turned round", string.Join(", ", items.Reverse()));
        yield return ("list turned", string.Join(",", items.Skip(1).Append(items[0])));
        yield return ("set", $@"\{{{answer}\}}");
        yield return ("set with left and right", $@"\left\{{ {string.Join(" , ", items)} \right\}}");
        yield return ("semicolons", string.Join("; ", items));
        yield return ("and", $@"{string.Join(", ", items.SkipLast(1))} \text{{ and }} {items[^1]}");
        yield return ("or", string.Join(" or ", items));
        yield return ("named items", string.Join(", ", items.Select(item => $"x = {item.Trim()}")));
    }

    private static IEnumerable<(string, string)> Expressions(string answer)
    {
        if (Rationalized().Match(answer) is { Success: true } root && root.Groups[2].Value == root.Groups[3].Value) yield return ("root below", $@"\frac{{{(root.Groups[1].Length > 0 ? root.Groups[1].Value : "1")}}}{{\sqrt{{{root.Groups[2].Value}}}}}");
        if (answer.Contains('(', StringComparison.Ordinal) || answer.Contains(',', StringComparison.Ordinal) || answer.Contains('{', StringComparison.Ordinal) || answer.Contains('=', StringComparison.Ordinal)) yield break;
        var terms = Terms().Matches(answer.StartsWith('-') ? answer : $"+{answer}").Select(match => match.Value).ToArray();
        if (terms.Length > 1) yield return ("terms turned round", string.Concat(terms.Reverse()));
        if (terms.Length > 1) yield return ("in parentheses, twice over two", $@"\frac{{2({answer})}}{{2}}");
    }

    private static bool Single(string answer, string piece) => answer.Split(piece).Length == 2;

    [GeneratedRegex(@"(?<=[\w})])\s*[-+=](?=[\w\\({])|[()]")] private static partial Regex AtSigns();

    [GeneratedRegex(@"(?<=\\[a-z]+) (?=[A-Za-z])")] private static partial Regex CommandSpace();

    [GeneratedRegex(@"(?<!\\)[(\[]")] private static partial Regex Open();

    [GeneratedRegex(@"(?<!\\)[)\]]")] private static partial Regex Close();

    [GeneratedRegex(@"\\[dt]?frac(?![a-z])")] private static partial Regex FractionCommand();

    [GeneratedRegex(@"\\[dt]?frac\{(\d)\}\{(\d)\}")] private static partial Regex BracedDigits();

    [GeneratedRegex(@"\\[dt]?frac ?(\d) ?(\d)")] private static partial Regex ShortDigits();

    [GeneratedRegex(@"(?<!\d)\\[dt]?frac\{(\d+)\}\{(\d+)\}")] private static partial Regex WholeFraction();

    [GeneratedRegex(@"^(-?)\\[dt]?frac\{(\d+)\}\{(\d+)\}$")] private static partial Regex WholeFractionAlone();

    [GeneratedRegex(@"^-?\d+(\.\d+)?$")] private static partial Regex Number();

    [GeneratedRegex(@"\d(,\\!|\{,\})\d{3}")] private static partial Regex Grouped();

    [GeneratedRegex(@"\\pi(?![a-z])")] private static partial Regex PiCommand();

    [GeneratedRegex(@"(?<!-)\\infty")] private static partial Regex PlainInfinity();

    [GeneratedRegex(@"\\sqrt\{(\d)\}")] private static partial Regex BracedRoot();

    [GeneratedRegex(@"\\sqrt(\d)")] private static partial Regex BareRoot();

    [GeneratedRegex(@"\\sqrt(?:\{(?<n>\d+)\}|(?<n>\d+))", RegexOptions.ExplicitCapture)] private static partial Regex AnyRoot();

    [GeneratedRegex(@"(\d) ?(\\sqrt|\\pi)")] private static partial Regex Adjacent();

    [GeneratedRegex(@"(?<=[a-z0-9)\\pi])\^(\d)")] private static partial Regex Exponent();

    [GeneratedRegex(@"\^\{(\d+)\}")] private static partial Regex BracedExponent();

    [GeneratedRegex(@"_(\d+)$")] private static partial Regex Base();

    [GeneratedRegex(@"_\{(\d+)\}$")] private static partial Regex BracedBase();

    [GeneratedRegex(@"^\\text\{([^{}]*)\}$")] private static partial Regex TextAlone();

    [GeneratedRegex(@"^([(\[]) *(-?[0-9a-z\\]+), *(-?[0-9a-z\\]+) *([)\]])$")] private static partial Regex Ray();

    [GeneratedRegex(@"^\\frac\{(\d*) ?\\sqrt\{?(\d+)\}?\}\{(\d+)\}$")] private static partial Regex Rationalized();

    [GeneratedRegex(@"[-+][^-+]+")] private static partial Regex Terms();
}
