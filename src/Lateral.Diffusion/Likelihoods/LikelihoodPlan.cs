using System.Collections.Immutable;
using Lateral.Core.Rollouts;

namespace Lateral.Diffusion.Likelihoods;

/// <summary>The canvases of one rollout to be scored, and the units that their answers count for.</summary>
public sealed record LikelihoodPlan(ImmutableArray<StateView> Views, ImmutableArray<PlannedUnit> Units);

/// <param name="Behaviour">its value under the weights that sampled; NaN = nobody computed it</param>
/// <param name="Weight">factor of its loss: T / K when K of T states stand for all, or a completion's length</param>
/// <param name="Step">the denoising step whose policy it was sampled under; -1 = the last</param>
public readonly record struct PlannedUnit(float Behaviour, float Weight, int Step);

/// <summary>A position of the completion whose token's log-prob counts, times <paramref name="Coefficient"/>, for a unit.</summary>
/// <param name="Unit">index among the plan's units</param>
public readonly record struct Question(int Position, int Unit, float Coefficient);

/// <summary>The selection of a step's positions, whose log-prob counts for a unit.</summary>
/// <param name="Arranged">[C] the step's candidates: those that it drew, in order, then the others</param>
/// <param name="Drawn">K, fewer than C</param>
public sealed record DrawQuestion(SelectionLaw Law, ImmutableArray<int> Arranged, int Drawn, int Unit);

/// <summary>One canvas that the model sees, and what it is asked there.</summary>
/// <param name="Hidden">[P + L] where the model sees MASK</param>
public sealed record StateView(Trajectory Trajectory, bool[] Hidden, ImmutableArray<Question> Questions)
{
    /// <summary>Null where the selection's probability does not depend on the weights, or is no part of the value.</summary>
    public DrawQuestion? Draw { get; init; }

    /// <summary>P + L</summary>
    public int Length => Hidden.Length;

    /// <summary>The canvas before a denoising step: what was revealed earlier is visible; tokens that never were stay masked.</summary>
    public static StateView Before(int step, Trajectory trajectory, ImmutableArray<Question> questions)
    {
        var (prompt, hidden) = (trajectory.Prompt.Length, new bool[trajectory.Prompt.Length + trajectory.Tokens.Length]);
        // Never revealed is -1, which as an unsigned number is after every step.
        for (var i = 0; i < trajectory.Tokens.Length; i++) hidden[prompt + i] = (uint)trajectory.RevealStep[i] >= (uint)step;
        return new(trajectory, hidden, questions);
    }

    /// <summary>[P + L] token ids.</summary>
    public int[] Canvas(int maskId)
    {
        var canvas = new int[Length];
        Trajectory.Prompt.CopyTo(canvas);
        Trajectory.Tokens.CopyTo(canvas, Trajectory.Prompt.Length);
        for (var i = 0; i < canvas.Length; i++)
        {
            if (Hidden[i]) canvas[i] = maskId;
        }

        return canvas;
    }
}
