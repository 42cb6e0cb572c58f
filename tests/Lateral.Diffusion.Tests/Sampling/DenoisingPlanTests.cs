using Lateral.Core.Rollouts;
using Lateral.Diffusion.Sampling;

namespace Lateral.Tests.Diffusion;

public class DenoisingPlanTests
{
    private static RolloutSpec Spec(int length, int block, int steps) => new(length, block, steps, 1, "random", false);

    [Fact]
    public void Plan_must_reveal_one_more_in_the_first_steps_of_an_uneven_block()
    {
        // 10 tokens in 4 steps: 10 = 4 * 2 + 2.
        var spec = Spec(30, 10, 12);
        Assert.Equal([3, 3, 2, 2, 3, 3, 2, 2, 3, 3, 2, 2], Enumerable.Range(0, 12).Select(step => DenoisingPlan.QuotaOf(spec, step)));
        Assert.Equal([0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2], Enumerable.Range(0, 12).Select(step => DenoisingPlan.BlockOf(spec, step)));
    }

    [Theory]
    [InlineData(10, 4, 5, "multiple of block-length")]
    [InlineData(8, 4, 3, "multiple of the 2 blocks")]
    [InlineData(8, 4, 10, "at most 8 steps")]
    [InlineData(0, 1, 1, "gen-length 0")]
    public void Plan_must_refuse_shapes_that_cannot_be_denoised(int length, int block, int steps, string why) =>
        Assert.Contains(why, Assert.Throws<ArgumentException>(() => DenoisingPlan.Validate(Spec(length, block, steps))).Message);

    [Fact]
    public void Plan_must_refuse_a_negative_temperature() =>
        Assert.Throws<ArgumentException>(() => DenoisingPlan.Validate(Spec(8, 4, 4) with { Temperature = -1 }));
}
