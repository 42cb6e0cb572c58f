using Lateral.Diffusion.Decoding;
using static Lateral.Tests.Diffusion.DecodingModels;
using static TorchSharp.torch;

namespace Lateral.Tests.Diffusion;

/// <summary>A decoding leaves nothing behind but its result, which goes with the scope it was asked for in.</summary>
[Collection(nameof(LeakTests))]
public sealed class DecoderLeakTests
{
    public DecoderLeakTests()
    {
        GC.Collect();
        GC.WaitForPendingFinalizers();
    }

    [Theory]
    [InlineData("shares")]
    [InlineData("guidance")]
    [InlineData("early-commit")]
    [InlineData("prefix")]
    [InlineData("dual")]
    [InlineData("vicinity")]
    [InlineData("delayed")]
    [InlineData("fill")]
    [InlineData("dream")]
    [InlineData("dream-dual")]
    [InlineData("blocks")]
    [InlineData("revising")]
    [InlineData("pipelined")]
    [InlineData("remasking")]
    public void Decoder_must_keep_no_tensor(string name)
    {
        using var model = Fresh(change: spec => name == "blocks" ? spec with { AttentionBlock = 4 } : spec with { Shifted = name.StartsWith("dream", StringComparison.Ordinal) });
        // The first decoding makes what a model keeps for each length.
        Decode();
        var before = Tensor.TotalCount;
        for (var i = 0; i < 3; i++) Decode();
        Assert.Equal(before, Tensor.TotalCount);

        void Decode()
        {
            using var scope = NewDisposeScope();
            var prompt = Ids([3, 1, 4]);
            var shares = new SemiAutoregressiveSettings(8, 4, 8) { Temperature = 1 };
            var output = name switch
            {
                "shares" => SemiAutoregressiveDecoder.Decode(model, prompt, Ids([0, 1, 1]), shares),
                "guidance" => SemiAutoregressiveDecoder.Decode(model, prompt, null, shares with { GuidanceScale = 1 }),
                "early-commit" => SemiAutoregressiveDecoder.Decode(model, prompt, null, shares with { EarlyCommit = new(5, 2) { Early = 0 } }),
                "prefix" => SemiAutoregressiveDecoder.Decode(model, prompt, null, shares with { Cache = DecodingCache.Prefix }),
                "dual" => SemiAutoregressiveDecoder.Decode(model, prompt, null, shares with { Cache = DecodingCache.Dual }),
                "vicinity" => SemiAutoregressiveDecoder.Decode(model, prompt, null, shares with { Cache = new VicinityCache(1, 1, 1) }),
                "delayed" => SemiAutoregressiveDecoder.Decode(model, prompt, null, shares with { Cache = new DelayedCache(9) }),
                "fill" => SemiAutoregressiveDecoder.Fill(model, Ids([3, Mask, Mask, 1, Mask, 4]), null, shares with { BlockLength = 4, Steps = 4 }),
                "dream" => DreamDecoder.Decode(model, prompt, null, new(8, 4, DreamAlgorithm.Origin) { Temperature = 1 }),
                "dream-dual" => DreamDecoder.Decode(model, prompt, null, new(8, 8, DreamAlgorithm.Entropy) { Cache = DecodingCache.Dual, BlockLength = 4 }),
                "blocks" => BlockDiffusionDecoder.Decode(model, prompt, new(8, 4, 4, BlockRemasking.LowConfidenceDynamic)),
                "revising" => RevisingDecoder.Decode(model, prompt, new(8, 4, .2, .9)),
                "pipelined" => PipelinedDecoder.Decode(model, prompt, new(8, 4) { StopToken = 0 }),
                _ => RemaskingDecoder.Decode(model, prompt, null, new(8, 8, new RescaledRemasking(.5)) { Temperature = 1 }),
            };
            Assert.Equal(prompt.shape[0], output.shape[0]);
        }
    }
}
