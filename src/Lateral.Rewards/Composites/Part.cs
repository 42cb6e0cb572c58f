using Lateral.Core.Rewards;
using Lateral.Rewards.Verifiers;

namespace Lateral.Rewards.Composites;

/// <summary>A term of a composite reward.</summary>
/// <param name="Name">of the key that holds its weight, and of its part in the breakdown</param>
/// <param name="Score">1 where it is fully earned; null where the reference cannot be judged against</param>
internal sealed record Part(string Name, Func<RewardRequest, double?> Score);

/// <summary>A reward that is the weighted sum of parts, each of which stands in the breakdown with what it adds: the breakdown's sum is the value.</summary>
internal static class Composite
{
    /// <param name="keys">hold a weight for each part</param>
    public static IReward Of(VerifierKeys keys, params Part[] parts)
    {
        var weights = parts.Select(part => AnswerVerifiers.Weight(keys, part.Name)).ToArray();
        return new Verifier(request =>
        {
            var terms = new (string, double)[parts.Length];
            for (var i = 0; i < parts.Length; i++)
            {
                if (parts[i].Score(request) is not { } score) return Outcomes.UnreadableReference;
                terms[i] = (parts[i].Name, weights[i] * score);
            }

            return Outcomes.Scored(terms.Sum(term => term.Item2), terms);
        });
    }
}
