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

    /// <summary>Writes the canvas: prompt, tokens revealed before the step, MASK elsewhere.</summary>
    /// <param name="canvas">[P + L] or longer; the rest is left alone</param>
    public void WriteCanvas(Span<double> canvas, int maskId)
    {
        var prompt = Trajectory.Prompt.Length;
        for (var i = 0; i < prompt; i++) canvas[i] = Trajectory.Prompt[i];
        for (var i = 0; i < Trajectory.Tokens.Length; i++)
        {
            var visible = (uint)Trajectory.RevealStep[i] < (uint)Step;
            canvas[prompt + i] = visible ? Trajectory.Tokens[i] : maskId;
        }
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
