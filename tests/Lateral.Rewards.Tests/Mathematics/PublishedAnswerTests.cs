using System.Diagnostics;
using System.Globalization;
using System.Numerics;
using System.Text.Json;
using Lateral.Rewards.Mathematics;
using Lateral.Tests;
using Xunit.Abstractions;

namespace Lateral.Rewards.Tests.Mathematics;

/// <summary>The answers of GSM8K's test set and of 600 rows of MATH.</summary>
public sealed class PublishedAnswerTests(ITestOutputHelper output)
{
    [SharedFact]
    public void Gsm8k_s_answers_must_be_found_and_no_neighbour_be_equal()
    {
        var answers = Read("gsm8k", "test.jsonl", "answer");
        Assert.Equal(1319, answers.Count);
        foreach (var answer in answers)
        {
            var reference = Gsm8kAnswer.Reference(answer);
            var number = BigInteger.Parse(reference, NumberStyles.AllowThousands | NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture);
            foreach (var rule in Gsm8kAnswer.Rules)
            {
                Assert.True(Gsm8kAnswer.AreEqual(Gsm8kAnswer.Of(answer, rule)!, reference), answer);
                foreach (var spelled in (string[])[$"{number}", $"{number:N0}", number < 0 ? $"-${-number}" : $"${number}", $"{number}.00", $"{number}."]) Assert.True(Gsm8kAnswer.AreEqual(Gsm8kAnswer.Of($"So:\n#### {spelled}", rule)!, reference), spelled);
                foreach (var other in (BigInteger[])[number + 1, number - 1, -number - 1]) Assert.False(Gsm8kAnswer.AreEqual(Gsm8kAnswer.Of($"So:\n#### {other}", rule)!, reference), $"{other} for {reference}");
            }

            Assert.True(MathAnswer.AreEqual($"{number}", reference));
            Assert.False(MathAnswer.AreEqual($"{number + 1}", reference));
        }
    }

    [SharedFact]
    public void Math_s_answers_must_equal_themselves_in_other_spellings()
    {
        var (tried, wrong, rules) = (0, new List<string>(), new SortedDictionary<string, int>(StringComparer.Ordinal));
        foreach (var answer in Read("math", "train-600.jsonl", "ground_truth_answer").Where(answer => answer.Length > 0))
        {
            foreach (var (rule, spelling) in Spellings.Of(answer))
            {
                tried++;
                rules[rule] = rules.GetValueOrDefault(rule) + 1;
                if (!MathAnswer.AreEqual(answer, spelling)) wrong.Add($"{rule}: {answer}   {spelling}");
            }
        }

        output.WriteLine($"{tried} spellings by {rules.Count} rules: {string.Join(", ", rules.Select(rule => $"{rule.Key} {rule.Value}"))}");
        Assert.True(wrong.Count == 0, string.Join("\n", wrong.Take(40)));
        Assert.True(tried > 10_000 && rules.Count > 70, $"{tried} spellings, {rules.Count} rules");
    }

    /// <summary>Of the same number, and yet not the same: their units are told.</summary>
    private static readonly HashSet<string> Apart = [@"10\% 10^\circ", @"10^\circ 10\%"];

    [SharedFact]
    public void No_two_different_answers_of_math_may_be_equal()
    {
        var answers = Read("math", "train-600.jsonl", "ground_truth_answer");
        var (read, prints) = (answers.Select(MathAnswer.Read).ToArray(), answers.Select(Fingerprint.Of).ToArray());
        var (pairs, equal, wrong, clock) = (0, 0, new HashSet<string>(), Stopwatch.StartNew());
        for (var i = 0; i < answers.Count; i++)
        {
            for (var j = i + 1; j < answers.Count; j++)
            {
                pairs++;
                var same = read[i].IsEqualTo(read[j]);
                if (same) equal++;
                if (same != (prints[i] == prints[j] && !Apart.Contains($"{answers[i]} {answers[j]}"))) wrong.Add($"{answers[i]}   {answers[j]}   {(same ? "called equal" : "not called equal")}");
            }
        }

        output.WriteLine($"{answers.Distinct().Count()} spellings, {prints.Distinct().Count()} classes, {pairs} pairs, {equal} of them equal, {clock.Elapsed.TotalMicroseconds / pairs:0.0} us each");
        Assert.True(wrong.Count == 0, string.Join("\n", wrong.Take(40)));
        Assert.Equal((600, 179_700), (answers.Count, pairs));
    }

    private static List<string> Read(string folder, string file, string field) =>
        [.. File.ReadLines(SharedFolder.Path("data", folder, file)).Select(line => JsonDocument.Parse(line).RootElement.GetProperty(field).GetString()!)];
}
