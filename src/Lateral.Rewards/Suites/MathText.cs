using System.Globalization;
using System.Text.RegularExpressions;

namespace Lateral.Rewards.Suites;

/// <summary>Answers in LaTeX: where they stand, and one spelling for those that differ in spelling only.</summary>
internal static partial class MathText
{
    // What says nothing of the value.
    private static readonly string[] Silent = [@"\left", @"\right", @"\!", @"\,", @"\;", @"\:", @"\ ", "$", @"\displaystyle", @"^{\circ}", @"^\circ", @"\%", "%"];

    /// <summary>What stands in the last <c>\boxed{}</c> or <c>\fbox{}</c>; null where there is none, or it does not end.</summary>
    public static string? Boxed(string text)
    {
        var begin = Math.Max(text.LastIndexOf(@"\boxed{", StringComparison.Ordinal), text.LastIndexOf(@"\fbox{", StringComparison.Ordinal));
        if (begin < 0) return null;
        var (at, depth) = (text.IndexOf('{', begin), 0);
        for (var i = at; i < text.Length; i++)
        {
            depth += text[i] switch { '{' => 1, '}' => -1, _ => 0 };
            if (depth == 0) return text[(at + 1)..i];
        }

        return null;
    }

    /// <summary>Without spaces and what only sets the type; \dfrac and \tfrac as \frac, a fraction's single digits in braces, \text{} as what it holds, numbers without separators and trailing zeros.</summary>
    public static string Normal(string answer)
    {
        var text = answer.Trim().TrimEnd('.');
        foreach (var silent in Silent) text = text.Replace(silent, "", StringComparison.Ordinal);
        text = text.Replace(@"\dfrac", @"\frac", StringComparison.Ordinal).Replace(@"\tfrac", @"\frac", StringComparison.Ordinal);
        text = Wrapped().Replace(text, "${held}");
        text = string.Concat(text.Where(character => !char.IsWhiteSpace(character)));
        text = ShortFraction().Replace(text, @"\frac{${over}}{${under}}");
        text = Slash().Replace(text, @"${sign}\frac{${over}}{${under}}");
        text = Assigned().Replace(text, "");
        return decimal.TryParse(Separator().Replace(text, ""), NumberStyles.AllowLeadingSign | NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var number) ? number.ToString("0.##########", CultureInfo.InvariantCulture) : text;
    }

    [GeneratedRegex(@"\\(?:text|textbf|mathrm|mbox)\{(?<held>[^{}]*)\}", RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex Wrapped();

    [GeneratedRegex(@"\\frac(?<over>\d)(?<under>\d)", RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex ShortFraction();

    [GeneratedRegex(@"^(?<sign>-?)(?<over>\d+)/(?<under>\d+)$", RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex Slash();

    // "x = 5" is 5.
    [GeneratedRegex(@"^[a-zA-Z]=(?=[^=]+$)", RegexOptions.None, 1000)]
    private static partial Regex Assigned();

    [GeneratedRegex(@"(?<=\d),(?=\d{3}(?:\D|$))", RegexOptions.None, 1000)]
    private static partial Regex Separator();
}
