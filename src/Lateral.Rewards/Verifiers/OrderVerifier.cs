using Lateral.Core.Rewards;
using Lateral.Rewards.Tasks;

namespace Lateral.Rewards.Verifiers;

/// <summary>
/// 1 where every digit fits, else 0. Parts: <c>format</c> (as many digits as the prompt has signs and nothing else), <c>answer</c> (all fit), <c>groups</c> (the share of
/// capitals whose small letters both fit), <c>copied</c> (the share of copied digits that are right).
/// </summary>
internal static class OrderVerifier
{
    public static RewardOutcome Score(RewardRequest request)
    {
        var (signs, completion) = (request.Prompt.Reference, request.Completion);
        var capitals = signs.Where(char.IsAsciiLetterUpper).ToArray();
        var letters = signs.Where(sign => !char.IsAsciiDigit(sign)).Order();
        if (capitals.Length == 0 || capitals.Distinct().Count() < capitals.Length || !capitals.All(OrderSigns.Capitals.Contains) || !letters.SequenceEqual(capitals.Concat(capitals.SelectMany(OrderSigns.SmallOf)).Order()))
            return Outcomes.UnreadableReference;

        var format = completion.Length == signs.Length && completion.All(char.IsAsciiDigit);
        int At(char sign) => completion[signs.IndexOf(sign, StringComparison.Ordinal)] - '0';
        var groups = format ? capitals.Average(capital => Outcomes.OneIf(OrderSigns.SmallOf(capital).All(small => At(small) == OrderSigns.Under(small, At(capital))))) : 0;
        var copied = format ? signs.Zip(completion).Where(pair => char.IsAsciiDigit(pair.First)).Select(pair => Outcomes.OneIf(pair.First == pair.Second)).DefaultIfEmpty(1).Average() : 0;
        var answer = Outcomes.OneIf(groups + copied >= 2);
        return Outcomes.Scored(answer, ("format", Outcomes.OneIf(format)), ("answer", answer), ("groups", groups), ("copied", copied));
    }
}
