using Lateral.Core.Rollouts;

namespace Lateral.Core.Learning;

/// <summary>The value model of <c>advantage = value-gae</c>; defaults and ranges stand in hocon/reference.conf.</summary>
/// <param name="Gamma">discount of a step</param>
/// <param name="Lambda">share of the steps after the next in an advantage: 1 = the return alone, 0 = the next step's value alone</param>
/// <param name="LearningRate">peak of its own AdamW; it moves over the run as the policy's does</param>
/// <param name="Clip">how far a value may move from the one that the step began with before its loss stops pulling; 0 = as far as it likes</param>
public sealed record CriticSettings(double Gamma, double Lambda, double LearningRate, double Clip);

/// <summary>What a rollout's tokens were worth and how much better that is than expected: [L] of each position, 0 where none was revealed.</summary>
public readonly record struct TokenReturns(float[] Returns, float[] Advantages);

/// <summary>
/// Generalised advantage estimation over denoising steps, with a value for each token (TraceRL, Wang et al., arXiv 2509.06949): backwards over
/// the steps t, for every token j that step t revealed,
/// R_j = r_j + gamma R*_{t+1}, A_j = r_j - V_j + gamma V*_{t+1} + gamma lambda A*_{t+1}, a star being the mean over a step's tokens.
/// </summary>
/// <remarks>
/// r_j is the rollout's reward at every token of the last step and 0 before, so that R* of the last step is the reward. With
/// gamma = lambda = 1 every A_j is the reward minus V_j.
/// </remarks>
public static class ValueGae
{
    /// <param name="merge">denoising steps that count as one; what the likelihood merges, the value model does, too</param>
    /// <param name="values">[L] V of each position in the state before the step that revealed it</param>
    public static TokenReturns Of(Trajectory trajectory, double reward, ReadOnlySpan<float> values, CriticSettings settings, int merge)
    {
        var (returns, advantages) = (new float[values.Length], new float[values.Length]);
        var next = (Return: 0.0, Value: 0.0, Advantage: 0.0);
        var (gamma, arriving) = (settings.Gamma, reward);
        foreach (var positions in StatesOf(trajectory, merge).Reverse())
        {
            var sum = (Return: 0.0, Value: 0.0, Advantage: 0.0);
            foreach (var j in positions)
            {
                var earned = arriving + (gamma * next.Return);
                var advantage = arriving - values[j] + (gamma * next.Value) + (gamma * settings.Lambda * next.Advantage);
                (returns[j], advantages[j]) = ((float)earned, (float)advantage);
                sum = (sum.Return + earned, sum.Value + values[j], sum.Advantage + advantage);
            }

            next = (sum.Return / positions.Length, sum.Value / positions.Length, sum.Advantage / positions.Length);
            arriving = 0;
        }

        return new(returns, advantages);
    }

    /// <summary>The positions that each state revealed, first state first; a state that revealed none is absent.</summary>
    public static int[][] StatesOf(Trajectory trajectory, int merge) =>
    [
        .. Enumerable.Range(0, trajectory.RevealStep.Length).Where(position => trajectory.RevealStep[position] >= 0)
            .GroupBy(position => trajectory.RevealStep[position] / merge).OrderBy(state => state.Key).Select(state => state.ToArray()),
    ];
}
