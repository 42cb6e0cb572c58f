using System.Collections.Immutable;
using System.Globalization;
using System.Text.RegularExpressions;
using Lateral.Rewards.Data;

namespace Lateral.Rewards.Suites;

/// <summary>
/// Grade-school mathematics (Cobbe et al., arXiv 2110.14168): rows of question and answer, which ends with <c>#### 18</c>. Two rules, as lm-evaluation-harness has them: <c>strict</c>, the number behind
/// ####; <c>flexible</c>, the last number of the completion.
/// </summary>
internal sealed partial class Gsm8kSuite() : RowSuite("gsm8k", """{"question": "Two and three?", "answer": "2 + 3 = 5\n#### 5"}""")
{
    public override IReadOnlyList<string> Rules { get; } = ["flexible", "strict"];

    public override ImmutableArray<bool> Judge(SuiteItem item, string completion)
    {
        var wanted = Value(item.Reference);
        return [Value(Flexible(completion)) == wanted, Strict(completion) is { } strict && Value(strict) == wanted];
    }

    private protected override SuiteItem Item(JsonRow row, string id)
    {
        var answer = row.Text("answer");
        return new(id, $"{row.Text("question")}\n\nWork it out step by step. End with a line that holds #### and the number that is the answer, nothing else.", Strict(answer) ?? answer.Trim());
    }

    internal static string? Strict(string text) => Marked().Match(text) is { Success: true } match ? match.Groups["number"].Value : null;

    internal static string? Flexible(string text) => Number().Matches(text) is { Count: > 0 } found ? found[^1].Value : null;

    /// <summary>Compared as numbers, so that 1,000.0 is 1000; whatever is none as it stands.</summary>
    private static string? Value(string? text)
    {
        if (text is null) return null;
        var plain = text.Replace(",", "", StringComparison.Ordinal).Replace("$", "", StringComparison.Ordinal).Trim().TrimEnd('.');
        return decimal.TryParse(plain, NumberStyles.AllowLeadingSign | NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var number) ? number.ToString("0.############################", CultureInfo.InvariantCulture) : plain;
    }

    [GeneratedRegex(@"#### *(?<number>-?\$?[0-9.,]+)", RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex Marked();

    [GeneratedRegex(@"-?[$0-9.,]{2,}|-?[0-9]+", RegexOptions.None, 1000)]
    private static partial Regex Number();
}
