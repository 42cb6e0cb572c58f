using System.Text.RegularExpressions;
using Lateral.Core.Rewards;
using Lateral.Rewards.Mathematics;

namespace Lateral.Rewards.Verifiers;

/// <summary>Answers in text that are compared with the prompt's reference, or tested by their form. Parts: <c>format</c> (an answer was found) and <c>answer</c> (it is right), where both have a meaning.</summary>
internal static class AnswerVerifiers
{
    /// <summary>1 where the number that the rule finds is the reference's, else 0. The reference is a number, or a published answer that ends with <c>#### 18</c>.</summary>
    public static IReward Gsm8k(VerifierKeys keys)
    {
        var rule = keys.OneOf("rule", Gsm8kAnswer.Rules);
        return new Verifier(request =>
        {
            var reference = Gsm8kAnswer.Reference(request.Prompt.Reference);
            if (reference.Length == 0) return Outcomes.UnreadableReference;
            var answer = Gsm8kAnswer.Of(request.Completion, rule);
            return Judged(answer, answer is not null && Gsm8kAnswer.AreEqual(answer, reference), right: 1, wrong: 0);
        });
    }

    /// <summary>1 where the answer equals the reference, else 0.</summary>
    public static IReward Math(VerifierKeys keys) => Math(keys, right: 1, wrong: 0);

    /// <summary>The same with the values that its keys name: 1 and -1, or 1 and 0.</summary>
    public static IReward Weighted(VerifierKeys keys) => Math(keys, Weight(keys, "right"), Weight(keys, "wrong"));

    /// <summary>1 for the reference, character by character, else 0.</summary>
    public static IReward Exact(VerifierKeys keys)
    {
        var (trim, comparison) = (keys.Switch("trim"), keys.Switch("ignore-case") ? StringComparison.OrdinalIgnoreCase : StringComparison.Ordinal);
        string Read(string text) => trim ? text.Trim() : text;
        return new Verifier(request =>
        {
            var right = Outcomes.OneIf(string.Equals(Read(request.Completion), Read(request.Prompt.Reference), comparison));
            return Outcomes.Scored(right, ("answer", right));
        });
    }

    /// <summary>1 where a pattern matches, else 0; the reference is not looked at. Patterns run in time linear in the completion, so lookarounds and back references are refused.</summary>
    public static IReward Pattern(VerifierKeys keys)
    {
        var (pattern, full) = (keys.Text("pattern"), keys.OneOf("match", "search", "full") == "full");
        Regex regex;
        try
        {
            regex = new Regex(full ? $@"\A(?:{pattern})\z" : pattern, RegexOptions.NonBacktracking | RegexOptions.CultureInvariant);
        }
        catch (Exception e) when (e is ArgumentException or NotSupportedException)
        {
            throw keys.Wrong("pattern", $"a regular expression of .NET's linear engine: {e.Message}");
        }

        return new Verifier(request =>
        {
            var matched = Outcomes.OneIf(regex.IsMatch(request.Completion));
            return Outcomes.Scored(matched, ("match", matched));
        });
    }

    /// <summary>Any factor of a part; published ones are -1 .. 3.</summary>
    public static double Weight(VerifierKeys keys, string key) => keys.Number(key, -100, 100, "what it adds to the reward");

    /// <summary>The reference of an answer in mathematics: what its last box holds, the number behind its ####, or all of it.</summary>
    public static string Reference(RewardRequest request) => FinalAnswer.Boxed(request.Prompt.Reference) ?? Gsm8kAnswer.Reference(request.Prompt.Reference);

    private static Verifier Math(VerifierKeys keys, double right, double wrong)
    {
        var find = Extraction.Of(keys.OneOf("extract", Extraction.Names));
        return new Verifier(request =>
        {
            var reference = Reference(request);
            if (reference.Length == 0) return Outcomes.UnreadableReference;
            var answer = find(request.Completion);
            return Judged(answer, answer is not null && MathAnswer.AreEqual(answer, reference), right, wrong);
        });
    }

    private static RewardOutcome Judged(string? answer, bool isRight, double right, double wrong) =>
        Outcomes.Scored(isRight ? right : wrong, ("format", Outcomes.OneIf(answer is not null)), ("answer", Outcomes.OneIf(isRight)));
}
