namespace Lateral.Core.Rollouts;

/// <summary>Where a denoising step could have revealed something, as its trajectory shows it.</summary>
public static class StepCandidates
{
    /// <summary>The candidates that stayed masked, ascending: what the step's block had left when it was over. None for a step that the record does not have.</summary>
    public static IEnumerable<int> Masked(Trajectory trajectory, int step, int blockLength)
    {
        var revealed = trajectory.RevealStep.IndexOf(step);
        return revealed < 0 ? [] : Enumerable.Range(revealed / blockLength * blockLength, blockLength).Where(position => trajectory.IsMasked(position, step + 1));
    }

    /// <summary>Steps of the step's block before it; every step reveals something.</summary>
    public static int StepInBlock(Trajectory trajectory, int step, int blockLength)
    {
        var first = trajectory.RevealStep.IndexOf(step) / blockLength * blockLength;
        return step - trajectory.RevealStep.AsSpan(first, blockLength).ToArray().Where(revealed => revealed >= 0).Min();
    }

    /// <summary>How many draws that stayed masked a record of these steps has where its reveal rule asks for them.</summary>
    public static int MaskedDraws(Trajectory trajectory, int blockLength) =>
        Enumerable.Range(0, trajectory.Steps).Sum(step => Masked(trajectory, step, blockLength).Count());
}
