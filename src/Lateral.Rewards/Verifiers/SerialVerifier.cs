using Lateral.Core.Rewards;
using Lateral.Rewards.Tasks;

namespace Lateral.Rewards.Verifiers;

/// <summary>
/// 1 where the last digit names the cup that the ball ends under, else 0; what stands before it is not judged. Parts: <c>format</c> (digits from 0 to 4 and nothing else), <c>answer</c> (1 or 0).
/// </summary>
internal static class SerialVerifier
{
    public static RewardOutcome Score(RewardRequest request)
    {
        var (reference, completion) = (request.Prompt.Reference, request.Completion);
        if (reference.Length != 1 || !CupSwaps.Cups.Contains(reference, StringComparison.Ordinal)) return Outcomes.UnreadableReference;
        var format = completion.Length > 0 && completion.All(CupSwaps.Cups.Contains);
        var answer = Outcomes.OneIf(format && completion[^1] == reference[0]);
        return Outcomes.Scored(answer, ("format", Outcomes.OneIf(format)), ("answer", answer));
    }
}
