using Lateral.Core.Rollouts;

namespace Lateral.Diffusion.Likelihoods;

/// <summary>
/// One recorded state of a trajectory as the model sees it again: the canvas before step <paramref name="Step"/>, and the
/// tokens that step revealed.
/// </summary>
/// <param name="Rollout">index of the trajectory in its batch</param>
/// <param name="Weight">factor of the view's tokens: T / K when K of T states stand for all</param>
public readonly record struct StateView(int Rollout, Trajectory Trajectory, int Step, float Weight)
{
    /// <summary>P + L</summary>
    public int Length => Trajectory.Prompt.Length + Trajectory.Tokens.Length;

    /// <summary>[P + L] the canvas: prompt, tokens revealed before the step, MASK elsewhere.</summary>
    public int[] Canvas(int maskId)
    {
        var canvas = new int[Length];
        Trajectory.Prompt.CopyTo(canvas);
        var generated = canvas.AsSpan(Trajectory.Prompt.Length);
        for (var i = 0; i < generated.Length; i++)
        {
            // Never revealed is -1, which as an unsigned number is after every step.
            generated[i] = (uint)Trajectory.RevealStep[i] < (uint)Step ? Trajectory.Tokens[i] : maskId;
        }

        return canvas;
    }

    /// <summary>Generated positions the step revealed.</summary>
    public IEnumerable<int> Revealed()
    {
        for (var i = 0; i < Trajectory.RevealStep.Length; i++)
        {
            if (Trajectory.RevealStep[i] == Step) yield return i;
        }
    }
}
