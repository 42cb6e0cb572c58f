using System.Collections.Immutable;
using System.Globalization;
using System.Text.RegularExpressions;

namespace Lateral.Rewards.Judging;

/// <param name="Weight">above 0; only its share of all weights counts</param>
internal sealed record Criterion(string Name, double Weight, string Question);

/// <summary>
/// What a completion is judged by, one criterion a line. Example: <c>truth 3: Is every statement true?</c>.
/// </summary>
internal sealed partial class Rubric(ImmutableArray<Criterion> criteria)
{
    public const int MostCriteria = 32;

    public ImmutableArray<Criterion> Criteria => criteria;

    /// <summary>Blank lines are skipped.</summary>
    /// <returns>the rubric, or what is wrong with which line</returns>
    public static (Rubric? Rubric, string? Mistake) Parse(string text)
    {
        var criteria = new List<Criterion>();
        foreach (var (number, line) in text.Split('\n').Index().Select(line => (line.Index + 1, line.Item.Trim())).Where(line => line.Item2.Length > 0))
        {
            var match = Line().Match(line);
            if (!match.Success || !double.TryParse(match.Groups["weight"].Value, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var weight))
                return (null, $"line {number} is '{line}' - write name weight: question, for example truth 3: Is every statement true?");
            if (weight is not (> 0 and <= 1e6)) return (null, $"line {number} has weight {match.Groups["weight"].Value} - it must be above 0 and at most 1,000,000");
            var name = match.Groups["name"].Value;
            if (name == JudgeValue.AnswerPart) return (null, $"line {number} calls its criterion {name}, which is the part that says whether pass-mark is reached - give it another name");
            if (criteria.Any(other => other.Name == name)) return (null, $"line {number} has the criterion {name} again - names must differ");
            criteria.Add(new Criterion(name, weight, match.Groups["question"].Value));
        }

        return criteria.Count is 0 or > MostCriteria ? (null, $"it has {criteria.Count} criteria - there must be 1 to {MostCriteria}") : (new Rubric([.. criteria]), null);
    }

    /// <summary>Example: truth 3 with 8 of 10 and style 1 with 4 of 10: (3 * 0.8 + 1 * 0.4) / 4 = 0.7.</summary>
    public double Mean(Func<string, double> shareOf) => criteria.Sum(criterion => criterion.Weight * shareOf(criterion.Name)) / criteria.Sum(criterion => criterion.Weight);

    [GeneratedRegex(@"^(?<name>[A-Za-z][A-Za-z0-9_-]{0,39})\s+(?<weight>[0-9.]{1,20})\s*:\s*(?<question>.*\S)$", RegexOptions.ExplicitCapture)]
    private static partial Regex Line();
}
