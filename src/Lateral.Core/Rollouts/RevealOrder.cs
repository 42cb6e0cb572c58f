namespace Lateral.Core.Rollouts;

/// <summary>In which order a rollout's tokens were revealed.</summary>
public static class RevealOrder
{
    /// <summary>
    /// Kendall's rank correlation (tau-b) of position and reveal step over the revealed tokens: 1 = left to right, -1 = right to left; tokens of one
    /// step are ties. 0 where all were revealed at once.
    /// </summary>
    public static double LeftToRight(Trajectory trajectory)
    {
        var steps = trajectory.RevealStep.Where(step => step >= 0).ToArray();
        var (score, comparable, pairs) = (0L, 0L, steps.Length * (steps.Length - 1L) / 2);
        // Counted by step: a completion has far more tokens than steps.
        var seen = new long[trajectory.Steps];
        foreach (var step in steps)
        {
            for (var other = 0; other < seen.Length; other++)
            {
                if (other == step) continue;
                score += other < step ? seen[other] : -seen[other];
                comparable += seen[other];
            }

            seen[step]++;
        }

        return comparable == 0 ? 0 : score / Math.Sqrt((double)comparable * pairs);
    }

    /// <summary>Mean over the revealed tokens of the step that revealed them, from 0 (the first) to 1 (the last). 0 for a rollout of one step.</summary>
    public static double CommitStep(Trajectory trajectory)
    {
        var steps = trajectory.RevealStep.Where(step => step >= 0).ToArray();
        return steps.Length == 0 || trajectory.Steps < 2 ? 0 : steps.Average() / (trajectory.Steps - 1);
    }
}
