using Lateral.Core.Rewards;

namespace Lateral.Core.Learning;

/// <summary>
/// A_{i,t} = G_{i,t} - mean of the G_{j,t} of the siblings that have a step t, with G_{i,t} = R_i + w (R_i - r_{i,t}) and r_{i,t} the reward of what the rollout would have answered at
/// once in the state before step t (the stepwise advantages of EGSPO-SA, Kunde et al., arXiv 2603.12554). Example: w = 1, R = 1 and guesses worth [0, 1] give G = [2, 1]: the step that found the answer earns it.
/// </summary>
/// <remarks>
/// r_{i,t} is a function of the state alone, so it is a baseline of what step t drew: with any w the expected gradient is (1 + w) times that of the reward. Steps at which all
/// siblings' returns are equal carry no signal.
/// </remarks>
public sealed class StepReturn(double weight) : IAdvantage
{
    public RolloutAdvantage[][] Of(IReadOnlyList<ScoredGroup> groups) => [.. groups.Select(Of)];

    private RolloutAdvantage[] Of(ScoredGroup group)
    {
        var returns = group.Siblings.Select(ReturnsOf).ToArray();
        for (var step = 0; step < returns.Max(own => own.Length); step++)
        {
            double[][] having = [.. returns.Where(own => own.Length > step)];
            double[] values = [.. having.Select(own => own[step])];
            var centred = GroupAdvantage.IsConstant(values) ? new double[values.Length] : GroupMean.Of(values);
            foreach (var (own, value) in having.Zip(centred)) own[step] = value;
        }

        return [.. group.Siblings.Zip(returns, (sibling, own) => new RolloutAdvantage(
            sibling.Trajectory, [.. sibling.Trajectory.RevealStep.Select(step => step < 0 ? 0 : (float)own[step])]))];
    }

    /// <returns>[S]</returns>
    /// <exception cref="InvalidOperationException">the rollout has no guesses: it was sampled for another advantage</exception>
    private double[] ReturnsOf(ScoredTrajectory sibling) => sibling.GuessRewards.Length == sibling.Trajectory.Steps
        ? [.. sibling.GuessRewards.Select(guess => sibling.Reward + (weight * (sibling.Reward - guess)))]
        : throw new InvalidOperationException($"{sibling.Trajectory.Id} carries {sibling.GuessRewards.Length} rewards of guesses for its {sibling.Trajectory.Steps} steps: it was not sampled with algorithm.advantage = {Advantages.StepReturn}; a run keeps the one that it began with");
}
