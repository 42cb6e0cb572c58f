using Lateral.Diffusion.Likelihoods;
using Lateral.Diffusion.Models;
using Lateral.Diffusion.Tensors;
using static TorchSharp.torch;

namespace Lateral.Diffusion.Decoding;

/// <summary>How D2F completes a prompt: a block is begun before the one on its left is complete, so that several are denoised by one forward.</summary>
/// <param name="BlockLength">tokens of a block, counted from the prompt's end; what the model was distilled for</param>
public sealed record PipelinedSettings(int GenLength, int BlockLength = 32) : DecodingSettings(GenLength)
{
    /// <summary>The share of the last block that is decoded when the next is added, 0 to 1: 1 = one block after the other, 0 = one more at every step. Published runs have 0.1 to 0.9 by task.</summary>
    public double BlockAdd { get; init; } = .1;

    /// <summary>The share of a block that is decoded when the next has to reveal something at every step, 0 to 1. Until then that one reveals only what it is sure of.</summary>
    public double Decoded { get; init; } = .95;

    /// <summary>A token is revealed where it is surer than this, 0 to 1; with 1 a block reveals its surest alone.</summary>
    public double Threshold { get; init; } = .9;

    /// <summary>Only the fewest most probable tokens that together have more than this mass; 1 = all.</summary>
    public double TopP { get; init; } = 1;

    /// <summary>Complete blocks are cached; otherwise every forward computes everything, with the same answers.</summary>
    public bool Cached { get; init; } = true;

    /// <summary>No block is added after the step that reveals it; null = nothing stops.</summary>
    public int? StopToken { get; init; }

    internal int Blocks => GenLength / BlockLength;

    internal PipelinedSettings Checked()
    {
        RequireBlocks(BlockLength);
        Require(BlockAdd is >= 0 and <= 1 && Decoded is >= 0 and <= 1 && Threshold is >= 0 and <= 1, $"block-add {BlockAdd}, decoded {Decoded} and threshold {Threshold} are shares and a probability: 0 to 1");
        Require(TopP is > 0 and <= 1, $"top-p {TopP} must be above 0 and at most 1");
        return this;
    }
}

/// <summary>
/// Discrete diffusion forcing's pipelined decoding (D2F, Wang et al., arXiv 2508.09192). The attention is block-causal whatever the model was trained with: the prompt sees itself, a block the prompt,
/// all blocks before it and itself. So a complete block whose predecessors are complete never changes, and its cache is exact. It is filled by the next forward that is made anyway. One prompt at a time.
/// </summary>
/// <remarks>
/// What is revealed depends on the probabilities of sampled tokens: no exact behaviour log-probabilities, though the cache itself changes none. Shapes: L canvas, A active blocks of K positions, V
/// vocabulary.
/// </remarks>
public static class PipelinedDecoder
{
    /// <inheritdoc cref="SemiAutoregressiveDecoder.Decode(TransformerModel, Tensor, Tensor?, SemiAutoregressiveSettings, Action{Tensor}?)"/>
    /// <param name="prompt_1P">int64</param>
    /// <returns>[1, P + GenLength] int64; after a stop token, what was never begun is still masked</returns>
    public static Tensor Decode(TransformerModel model, Tensor prompt_1P, PipelinedSettings settings, Action<Tensor>? seen = null) => Decode(model, prompt_1P, settings, seen, new DecodingDraws(settings.Seed));

    internal static Tensor Decode(TransformerModel model, Tensor prompt_1P, PipelinedSettings settings, Action<Tensor>? seen, DecodingDraws draws)
    {
        settings.Checked();
        if (model.Spec.AnswersBefore) throw new DecodingException($"pipelined blocks need a model that answers in place: of a {model.Spec.Family} model a block's first token is asked about where the block is not seen");
        if (model.Spec.AttentionBlock is { } trained) throw new DecodingException($"a {model.Spec.Family} model sees blocks of {trained} from the canvas's begin, and pipelined ones are counted from the prompt's end: decode it block by block");
        if (prompt_1P.shape[0] != 1) throw new DecodingException($"pipelined blocks are decoded for one prompt at a time, got {prompt_1P.shape[0]}");
        using var quiet = no_grad();
        using var outer = NewDisposeScope();
        using var canvas = DecodingCanvas.Behind(model, prompt_1P, null, settings.GenLength, seen);
        using var cache = new KeyValueCache();
        var visible_1LL = Visible(canvas.Begin, canvas.Length, settings.BlockLength).to(model.Device);
        var pipeline = new BlockPipeline(settings);
        for (var call = 0; pipeline.Grow(); call++)
        {
            using var scope = NewDisposeScope();
            var (from, begin, end) = (settings.Cached ? (int)cache.Length : 0, canvas.Begin + (pipeline.Complete * settings.BlockLength), canvas.Begin + (pipeline.Added * settings.BlockLength));
            // What stands before the active blocks and is not cached yet is complete since the last forward: this one is the first that sees it so.
            var fills = settings.Cached && begin > from;
            var hidden_1ND = canvas.Hidden(from, end, begin, end, cache, store: fills, visible_1LL.narrow(1, from, end - from).narrow(2, 0, end));
            if (fills) cache.Truncate(begin);
            Reveal(canvas, hidden_1ND, pipeline, settings, draws, call, begin);
        }

        return canvas.Ids_BL.clone().MoveToOuterDisposeScope();
    }

    /// <summary>Each active block by itself; then how many masks are left in each, and whether the stop token was among what came, is read back.</summary>
    private static void Reveal(DecodingCanvas canvas, Tensor hidden_1ND, BlockPipeline pipeline, PipelinedSettings settings, DecodingDraws draws, int call, int begin)
    {
        var (active, end) = (pipeline.Active, begin + (int)hidden_1ND.shape[1]);
        var logits_1NV = canvas.Logits(hidden_1ND);
        if (settings.Temperature > 0) logits_1NV = TokenFilter.Of(logits_1NV.DividedBy(settings.Temperature), 0, settings.TopP);
        var tokens_1N = draws.Tokens(logits_1NV, settings.Temperature > 0 ? 1 : 0, call, begin);
        Tensor Blocks(Tensor values_1N) => values_1N.view(active, settings.BlockLength);
        var confidence_AK = Blocks(OutputDistribution.At(logits_1NV.softmax(-1), tokens_1N));
        var least_A = HostTensor.Of(pipeline.Least()).to(hidden_1ND.device);
        canvas.Reveal(begin, tokens_1N, Choices.AboveOrSurest(confidence_AK, Blocks(canvas.Masked(begin, end)), settings.Threshold, least_A).view(1, -1));

        var left_A = Blocks(canvas.Masked(begin, end)).sum(1, type: ScalarType.Int64);
        if (settings.StopToken is { } stop) left_A = cat([left_A, canvas.Count(begin, end, stop)], 0);
        var counts = left_A.cpu().data<long>().ToArray();
        pipeline.Observe(counts.AsSpan(0, active), counts.Length > active && counts[active] > 0);
    }

    /// <summary>[1, L, L] bool: block number of the query at least that of the key; the prompt is number 0.</summary>
    private static Tensor Visible(int prompt, int length, int block)
    {
        var number_L = HostTensor.Of([.. Enumerable.Range(0, length).Select(i => i < prompt ? 0L : 1 + ((i - prompt) / block))]);
        return number_L.unsqueeze(1).ge(number_L.unsqueeze(0)).unsqueeze(0);
    }
}
