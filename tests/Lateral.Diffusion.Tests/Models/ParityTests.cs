using Lateral.Diffusion.Parity;

namespace Lateral.Tests.Diffusion;

/// <summary>Every case of the shared fixtures, as <c>lateral parity</c> runs them.</summary>
public class ParityTests
{
    [SharedTheory]
    [InlineData("llada-tiny", 55)]
    [InlineData("dream-tiny", 32)]
    [InlineData("sdar-tiny", 14)]
    [InlineData("llada-moe-tiny", 6)]
    [InlineData("tokenizer", 1)]
    [InlineData("llada2-tiny", 7)]
    [InlineData("llada21-tiny", 7)]
    public void Cases_must_pass(string name, int count)
    {
        var results = ParitySuite.Run(SharedFolder.Path("fixtures", name)).ToList();
        Assert.All(results, result => Assert.True(result.Passed, $"{result.Case}: {result.Detail} ({result.Error:g3})"));
        Assert.Equal(count, results.Count);
    }
}
