using Lateral.Core;
using Lateral.Core.Learning;

namespace Lateral.Actors.Learning;

/// <summary>
/// Notices that a run's first steps had nothing to learn from: within every group all rewards were equal. A reward that is always
/// equal is nearly always a mistake in the reward or in the prompt, and is better seen after a minute than after a night.
/// </summary>
internal static class ConstantRewards
{
    /// <summary>Of the run, before it is said; a single step may be so by chance.</summary>
    private const int FirstSteps = 3;

    private const int Samples = 3;
    private const int SampleLength = 120;

    /// <summary>Why a run should not train its first batch: all of its rewards are equal. Null = it should.</summary>
    public static string? Refusal(LearnerBatch batch)
    {
        var rollouts = batch.Groups.SelectMany(group => group.Siblings).ToArray();
        if (batch.Step != 1 || rollouts.Length < 2 || rollouts.Any(rollout => rollout.Reward != rollouts[0].Reward)) return null;
        var shown = batch.Groups.Take(Samples).Select(group => $"\"{Excerpt.Of(group.Siblings[0].Trajectory.Text, SampleLength)}\"");
        return $"all {rollouts.Length} rollouts of the first batch have the reward {rollouts[0].Reward:0.###}, of which nothing can be learned, for example {string.Join(", ", shown)}: see whether reward.pools reads such answers as it should, or train all the same with --set reward.on-constant=go-on";
    }

    /// <summary>What to tell the user after this step, or null.</summary>
    public static string? Notice(LearnerBatch batch, int flatSteps)
    {
        if (batch.Step != FirstSteps || flatSteps < FirstSteps) return null;
        var shown = batch.Groups.Take(Samples).Select(group => $"{group.Siblings[0].Reward:0.###} for \"{Excerpt.Of(group.Siblings[0].Trajectory.Text, SampleLength)}\"");
        return $"in each group of the first {FirstSteps} steps all rewards were equal, so that nothing was learned: {string.Join(", ", shown)} - see whether the reward reads such answers as it should";
    }

    /// <summary>Whether no rollout of the batch has an advantage; false for a batch without groups.</summary>
    public static bool IsFlat(LearnerBatch batch) =>
        !batch.Groups.IsEmpty && batch.Groups.All(group => group.Siblings.All(sibling => sibling.Reward == group.Siblings[0].Reward));
}
