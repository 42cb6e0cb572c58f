using Lateral.Diffusion.Decoding;
using Lateral.Diffusion.Models;
using static TorchSharp.torch;

namespace Lateral.Tests.Diffusion;

/// <summary>SDAR takes the top k first and then the mass among them, Dream the other way round.</summary>
public class FilterOrderTests
{
    [Fact]
    public void Mass_must_be_that_of_the_top_k_among_themselves()
    {
        using var scope = NewDisposeScope();
        using var quiet = no_grad();
        using var model = ModelStore.Fresh(new TransformerSpec(16, 1, 2, 32, 41, 32, 1e-6, 10_000, 40, null, null) { Family = "sdar", RotaryRounded = true, HeadNorm = true, NormRoundedLast = true, AttentionBlock = 2 }, seed: 8, trainable: false);
        // All but uniform: two of forty are 5% of the mass, and each is half of it among the two.
        var settings = new BlockDiffusionSettings(8, 2, 2, BlockRemasking.Sequential) { Temperature = 1, TopK = 2, TopP = .4 };
        var prompt = tensor(new long[] { 1, 2 }, 1, 2);
        var sampled = BlockDiffusionDecoder.Decode(model, prompt, settings with { Seed = 3 }).data<long>().ToArray();
        var greedy = BlockDiffusionDecoder.Decode(model, prompt, settings with { Temperature = 0 }).data<long>().ToArray();
        Assert.Equal(greedy, sampled);
    }
}
