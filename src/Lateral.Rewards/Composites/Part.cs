using Lateral.Core.Rewards;
using Lateral.Rewards.Verifiers;

namespace Lateral.Rewards.Composites;

/// <summary>A term of a composite reward.</summary>
/// <param name="Name">of the key that holds its weight, and of its part in the breakdown</param>
/// <param name="Score">1 where it is fully earned; null where the reference cannot be judged against</param>
internal sealed record Part(string Name, Func<RewardRequest, double?> Score);

/// <summary>A reward that is the weighted sum of parts, each of which stands in the breakdown with what it adds. <c>answer</c> stands beside them and adds nothing: 1 where the part <c>correct</c> is fully earned, which is what evaluations go by.</summary>
internal static class Composite
{
    /// <summary>Of the part that knows whether the answer is right.</summary>
    public const string Correct = "correct";

    /// <param name="keys">hold a weight for each part</param>
    public static IReward Of(VerifierKeys keys, params Part[] parts)
    {
        var weights = parts.Select(part => AnswerVerifiers.Weight(keys, part.Name)).ToArray();
        return new Verifier(request =>
        {
            var (value, breakdown) = (0.0, new List<(string, double)>(parts.Length + 1));
            for (var i = 0; i < parts.Length; i++)
            {
                if (parts[i].Score(request) is not { } score) return Outcomes.UnreadableReference;
                value += weights[i] * score;
                breakdown.Add((parts[i].Name, weights[i] * score));
                if (parts[i].Name == Correct) breakdown.Add(("answer", Outcomes.OneIf(score >= 1)));
            }

            return Outcomes.Scored(value, [.. breakdown]);
        });
    }
}
