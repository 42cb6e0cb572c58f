using System.Collections.Immutable;
using Lateral.Core.Rollouts;

namespace Lateral.Diffusion.Likelihoods;

/// <summary>
/// A rollout's completion and the masks that an estimator draws over it. Every draw is keyed by the rollout and its own number, so a plan is the same at
/// the sampler, the learner and after a restart, in any batch. Behind the completion's end everything stays masked and nothing is asked.
/// </summary>
/// <param name="key">of the draws</param>
/// <param name="endToken">ends a completion; null where lengths are fixed</param>
internal sealed class MaskPlan(Trajectory trajectory, PlanKey key, int? endToken)
{
    /// <summary>Numbers that belong to a mask as a whole and not to a position are drawn beyond the longest completion.</summary>
    private const int OfTheMask = (1 << 24) - 1;

    private readonly ImmutableArray<StateView>.Builder _views = ImmutableArray.CreateBuilder<StateView>();

    /// <summary>Tokens of the completion, its end token included.</summary>
    public int Length { get; } = LengthOf(trajectory, endToken);

    public ImmutableArray<StateView> Views => _views.ToImmutable();

    /// <summary>A uniform number in [0, 1) of mask <paramref name="mask"/>.</summary>
    /// <param name="part">of the mask, where several numbers belong to one</param>
    public double Uniform(int mask, int part = 0) => key.Uniform(trajectory.Id, OfTheMask - part, mask);

    /// <summary>A mask's size, 1 to <paramref name="among"/>, in the k-th of K equal shares of them.</summary>
    public int Stratified(int k, int samples, int among, int part = 0) => 1 + (int)((k + Uniform(k, part)) / samples * among);

    /// <summary>[Length] with exactly so many true: those with the smallest of independent uniforms.</summary>
    public bool[] Exactly(int count, int mask) => Exactly(count, mask, 0, Length);

    /// <summary>[Length] with exactly so many true among the <paramref name="among"/> positions from <paramref name="first"/> on.</summary>
    public bool[] Exactly(int count, int mask, int first, int among)
    {
        var masked = new bool[Length];
        foreach (var position in Enumerable.Range(first, among).OrderBy(position => key.Uniform(trajectory.Id, position, mask)).Take(count)) masked[position] = true;
        return masked;
    }

    /// <summary>[Length] each true with the probability, independently.</summary>
    public bool[] Each(double probability, int mask) => [.. Enumerable.Range(0, Length).Select(position => key.Uniform(trajectory.Id, position, mask) < probability)];

    /// <summary>[P] each prompt position true with the probability.</summary>
    public bool[] Prompt(double probability, int mask) =>
        [.. Enumerable.Range(0, trajectory.Prompt.Length).Select(position => key.Uniform(trajectory.Id, OfTheMask - 1 - position, mask) < probability)];

    /// <summary>A canvas with what is masked hidden, which is asked for the log-prob of each masked token of the completion.</summary>
    /// <param name="masked">[Length]</param>
    /// <param name="unit">by position</param>
    /// <param name="prompt">[P] hidden positions of the prompt; null = none</param>
    public void Ask(bool[] masked, Func<int, int> unit, double coefficient, bool[]? prompt = null) => Ask(masked, unit, _ => coefficient, prompt);

    /// <param name="coefficient">by position</param>
    /// <param name="causalBlock">see <see cref="StateView.CausalBlock"/></param>
    public void Ask(bool[] masked, Func<int, int> unit, Func<int, double> coefficient, bool[]? prompt = null, int causalBlock = 0)
    {
        var hidden = new bool[trajectory.Prompt.Length + trajectory.Tokens.Length];
        prompt?.CopyTo(hidden, 0);
        hidden.AsSpan(trajectory.Prompt.Length + Length).Fill(true);
        var questions = ImmutableArray.CreateBuilder<Question>();
        for (var position = 0; position < Length; position++)
        {
            if (!masked[position]) continue;
            hidden[trajectory.Prompt.Length + position] = true;
            questions.Add(new(position, unit(position), (float)coefficient(position)));
        }

        _views.Add(new(trajectory, hidden, questions.ToImmutable()) { CausalBlock = causalBlock });
    }

    /// <summary>A canvas of the trajectory itself, which is asked for some of its masked tokens.</summary>
    /// <param name="hidden">[P + L]</param>
    /// <param name="asked">by position of the completion</param>
    public void Ask(bool[] hidden, Func<int, bool> asked, Func<int, int> unit, double coefficient) =>
        _views.Add(new(trajectory, hidden, [.. Enumerable.Range(0, Length).Where(asked).Select(position => new Question(position, unit(position), (float)coefficient))]));

    public static bool[] Not(bool[] masked) => Array.ConvertAll(masked, one => !one);

    public bool[] All() => [.. Enumerable.Repeat(true, Length)];

    private static int LengthOf(Trajectory trajectory, int? endToken)
    {
        var end = endToken is { } id ? trajectory.Tokens.IndexOf(id) : -1;
        return end < 0 ? trajectory.Tokens.Length : end + 1;
    }
}
