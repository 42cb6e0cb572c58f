using Lateral.Core.Rewards;
using Lateral.Rewards.Tasks;

namespace Lateral.Rewards.Verifiers;

/// <summary>
/// 1 where the final answer is the product, else 0; the thoughts before it are not judged.
/// Parts: <c>format</c> (numbers of as many digits as the reference, each with its mark, and nothing else), <c>answer</c> (1 or 0).
/// Example: reference 0408: "0048;0360;0408." and "0000;9999;0408." score 1, "0048;0360;0407.", "0408" and "408." score 0.
/// </summary>
internal static class MultiplyVerifier
{
    public static RewardOutcome Score(RewardRequest request)
    {
        var (reference, completion) = (request.Prompt.Reference, request.Completion);
        if (reference.Length == 0 || !reference.All(char.IsAsciiDigit)) return Outcomes.UnreadableReference;

        var answer = MultiplyText.FinalAnswer(completion);
        var thoughts = completion.Split(MultiplyText.Thought)[..^1];
        var format = answer?.Length == reference.Length && thoughts.All(thought => thought.Length == reference.Length && thought.All(char.IsAsciiDigit));
        var right = Outcomes.OneIf(answer == reference);
        return Outcomes.Scored(right, ("format", Outcomes.OneIf(format)), ("answer", right));
    }
}
