using Lateral.Core.Rollouts;

namespace Lateral.Core.Tests;

public sealed class StepCandidatesTests
{
    private static Trajectory Revealed(params int[] steps) =>
        new(new(0, 0), [1], [.. new int[steps.Length]], [.. steps], [.. new float[steps.Length]], [.. new float[steps.Max() + 1]], 0, [new(0, 0, "h")], "");

    [Fact]
    public void Masked_must_be_what_the_block_of_a_step_had_left_whatever_was_never_revealed_included()
    {
        // Blocks of three: the second one finishes early.
        var trajectory = Revealed(1, 0, 1, 3, 2, -1);
        Assert.Equal([0, 2], StepCandidates.Masked(trajectory, 0, 3));
        Assert.Empty(StepCandidates.Masked(trajectory, 1, 3));
        Assert.Equal([3, 5], StepCandidates.Masked(trajectory, 2, 3));
        Assert.Equal([5], StepCandidates.Masked(trajectory, 3, 3));
        Assert.Empty(StepCandidates.Masked(trajectory, 7, 3));
        Assert.Equal(5, StepCandidates.MaskedDraws(trajectory, 3));
    }

    [Fact]
    public void Step_in_block_must_count_from_the_first_that_revealed_something_there()
    {
        var trajectory = Revealed(1, 0, 1, 3, 2, -1);
        Assert.Equal([0, 1, 0, 1], Enumerable.Range(0, 4).Select(step => StepCandidates.StepInBlock(trajectory, step, 3)));
    }
}
