using Lateral.Core.Rewards;

namespace Lateral.Rewards.Verifiers;

/// <summary>
/// 1 where the completion is exactly the reference, else 0. Parts: <c>format</c> (as many digits as the reference and
/// nothing else), <c>answer</c> (exact). Example: reference 11345, completion 54311: value 0, format 1, answer 0.
/// </summary>
internal static class SortVerifier
{
    public static RewardOutcome Score(RewardRequest request)
    {
        var (reference, completion) = (request.Prompt.Reference, request.Completion);
        if (reference.Length == 0 || !reference.All(char.IsAsciiDigit) || !reference.SequenceEqual(reference.Order()))
            return Outcomes.UnreadableReference;

        var format = completion.Length == reference.Length && completion.All(char.IsAsciiDigit);
        var answer = Outcomes.OneIf(completion == reference);
        return Outcomes.Scored(answer, ("format", Outcomes.OneIf(format)), ("answer", answer));
    }
}
