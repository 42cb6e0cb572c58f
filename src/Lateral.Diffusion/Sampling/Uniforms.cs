using Lateral.Core;
using Lateral.Core.Rollouts;

namespace Lateral.Diffusion.Sampling;

/// <summary>The uniform numbers in [0, 1) that sampling consumes, by what they decide.</summary>
public interface IUniforms
{
    /// <param name="evaluation">held-out rollouts draw from streams of their own</param>
    /// <param name="step">denoising step, 0 ..</param>
    /// <param name="position">generated position, 0 .. L - 1</param>
    double Token(bool evaluation, RolloutId id, int step, int position);

    /// <inheritdoc cref="Token"/>
    double Selection(bool evaluation, RolloutId id, int step, int position);

    /// <param name="position">the first of a chunk; -1 = of the rollout's share</param>
    double Hint(RolloutId id, int position);
}

/// <summary>Keyed draws: a rollout's numbers depend on nothing but the run's seed and its own coordinates.</summary>
/// <param name="firstPrompt">added to the group of a training rollout, so that a fork never draws its parent's numbers again; evaluations share theirs</param>
public sealed class CounterUniforms(ulong seed, long firstPrompt = 0) : IUniforms
{
    private readonly CounterRandom _random = new(seed);

    public double Token(bool evaluation, RolloutId id, int step, int position) =>
        _random.Uniform(evaluation ? RandomStream.EvaluationToken : RandomStream.Token, Key(evaluation, id), id.Sibling, step, position);

    public double Selection(bool evaluation, RolloutId id, int step, int position) =>
        _random.Uniform(evaluation ? RandomStream.EvaluationSelection : RandomStream.Selection, Key(evaluation, id), id.Sibling, step, position);

    public double Hint(RolloutId id, int position) => _random.Uniform(RandomStream.Hint, Key(evaluation: false, id), id.Sibling, position: position + 1);

    private long Key(bool evaluation, RolloutId id) => evaluation ? id.Group : firstPrompt + id.Group;
}
