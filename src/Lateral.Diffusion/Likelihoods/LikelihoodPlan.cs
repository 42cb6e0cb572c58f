using System.Collections.Immutable;
using Lateral.Core.Rollouts;

namespace Lateral.Diffusion.Likelihoods;

/// <summary>The canvases of one rollout to be scored, and the units that their answers count for.</summary>
public sealed record LikelihoodPlan(ImmutableArray<StateView> Views, ImmutableArray<PlannedUnit> Units);

/// <param name="Behaviour">its value under the weights that sampled; NaN = nobody computed it</param>
/// <param name="Weight">factor of its loss: T / K when K of T states stand for all, or a completion's length</param>
/// <param name="Step">the denoising step whose policy it was sampled under; -1 = the last</param>
public readonly record struct PlannedUnit(float Behaviour, float Weight, int Step)
{
    /// <summary>The position of the completion that it is about; -1 = several.</summary>
    public int Position { get; init; } = -1;
}

/// <summary>A position of the completion whose token's log-prob counts, times <paramref name="Coefficient"/>, for a unit.</summary>
/// <param name="Unit">index among the plan's units</param>
public readonly record struct Question(int Position, int Unit, float Coefficient);

/// <summary>The selection of a step's positions, whose log-prob counts for a unit.</summary>
/// <param name="Arranged">[C] the step's candidates: those that it drew, in order, then the others</param>
/// <param name="Tokens">[C] the token of each: the revealed one, and where the law asks for them what those that stayed masked had drawn at this step</param>
/// <param name="Drawn">K, fewer than C where an order is drawn</param>
/// <param name="Block">the positions among which the step drew, and how far the rollout was</param>
public sealed record DrawQuestion(SelectionLaw Law, ImmutableArray<int> Arranged, ImmutableArray<int> Tokens, int Drawn, int Unit, ActiveBlock Block)
{
    /// <summary>Added to every score of a <see cref="Bernoulli"/> draw; the same for all draws of a rollout's shape.</summary>
    public double Offset { get; init; }
}

/// <summary>The block that a step denoises.</summary>
/// <param name="Start">its first position in the completion</param>
/// <param name="Progress">denoising steps before this one as a share of all, or revealed positions where a step reveals as many as it likes</param>
public readonly record struct ActiveBlock(int Start, int Length, double Progress);

/// <summary>One canvas that the model sees, and what it is asked there.</summary>
/// <param name="Hidden">[P + L] where the model sees MASK</param>
public sealed record StateView(Trajectory Trajectory, bool[] Hidden, ImmutableArray<Question> Questions)
{
    /// <summary>Null where the selection's probability does not depend on the weights, or is no part of the value.</summary>
    public DrawQuestion? Draw { get; init; }

    /// <summary>
    /// Tokens of a block where the model sees the completion twice, as it is and then with what is hidden, by block-causal attention (<see cref="Models.BlockCausalLayout"/>); 0 =
    /// it sees the canvas once and all of it at once.
    /// </summary>
    public int CausalBlock { get; init; }

    /// <summary>P + L, or P + 2 L</summary>
    public int Length => IndexOf(Trajectory.Tokens.Length);

    /// <summary>Where the canvas has the position that a question is about.</summary>
    public int IndexOf(int position) => Trajectory.Prompt.Length + (CausalBlock == 0 ? 0 : Trajectory.Tokens.Length) + position;

    /// <summary>The canvas before a denoising step: what was revealed earlier is visible; tokens that never were stay masked.</summary>
    public static StateView Before(int step, Trajectory trajectory, ImmutableArray<Question> questions)
    {
        var (prompt, hidden) = (trajectory.Prompt.Length, new bool[trajectory.Prompt.Length + trajectory.Tokens.Length]);
        for (var i = 0; i < trajectory.Tokens.Length; i++) hidden[prompt + i] = trajectory.IsMasked(i, step);
        return new(trajectory, hidden, questions);
    }

    /// <summary>Token ids, as many as <see cref="Length"/>.</summary>
    public int[] Canvas(int maskId)
    {
        var (canvas, prompt) = (new int[Length], Trajectory.Prompt.Length);
        Trajectory.Prompt.CopyTo(canvas);
        Trajectory.Tokens.CopyTo(canvas, prompt);
        Trajectory.Tokens.CopyTo(canvas, IndexOf(0));
        for (var i = 0; i < Hidden.Length; i++)
        {
            if (Hidden[i]) canvas[i < prompt ? i : IndexOf(i - prompt)] = maskId;
        }

        return canvas;
    }
}
