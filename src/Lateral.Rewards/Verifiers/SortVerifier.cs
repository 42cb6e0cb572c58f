using Lateral.Core.Rewards;

namespace Lateral.Rewards.Verifiers;

/// <summary>
/// 1 where the completion is exactly the reference, <c>right-digits</c> where it has the same digits in another order, else 0.
/// Parts: <c>format</c> (as many digits as the reference and nothing else), <c>answer</c> (exact).
/// Example with right-digits = 0.2: reference 11345, completion 54311: value 0.2, format 1, answer 0.
/// </summary>
internal static class SortVerifier
{
    /// <param name="rightDigits">the value of the right digits in another order, 0 .. 1</param>
    public static RewardOutcome Score(RewardRequest request, double rightDigits)
    {
        var (reference, completion) = (request.Prompt.Reference, request.Completion);
        if (reference.Length == 0 || !reference.All(char.IsAsciiDigit) || !reference.SequenceEqual(reference.Order()))
            return Outcomes.UnreadableReference;

        var format = completion.Length == reference.Length && completion.All(char.IsAsciiDigit);
        var digits = format && completion.Order().SequenceEqual(reference);
        var answer = completion == reference;
        return Outcomes.Scored(answer ? 1 : digits ? rightDigits : 0, ("format", Outcomes.OneIf(format)), ("answer", Outcomes.OneIf(answer)));
    }
}
