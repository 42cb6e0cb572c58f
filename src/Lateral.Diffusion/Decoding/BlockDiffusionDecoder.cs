using Lateral.Diffusion.Likelihoods;
using Lateral.Diffusion.Models;
using Lateral.Diffusion.Sampling;
using Lateral.Diffusion.Tensors;
using static TorchSharp.torch;

namespace Lateral.Diffusion.Decoding;

/// <summary>What SDAR reveals of a block at a step.</summary>
public enum BlockRemasking
{
    /// <summary>The leftmost masked positions.</summary>
    Sequential,

    /// <summary>The step's share of the surest.</summary>
    LowConfidenceStatic,

    /// <summary>All that are surer than a threshold where they are at least the step's share, and else that share of the surest.</summary>
    LowConfidenceDynamic,
}

/// <summary>How SDAR and TraDo complete a prompt: blocks one after the other, each seeing the complete ones before it through their cache.</summary>
/// <param name="Steps">the most of a block</param>
/// <remarks>At temperature 0 a token's confidence is that of the unfiltered distribution.</remarks>
public sealed record BlockDiffusionSettings(int GenLength, int BlockLength, int Steps, BlockRemasking Remasking) : DecodingSettings(GenLength)
{
    public double Threshold { get; init; } = .85;

    /// <summary>Only so many of the most probable tokens; 0 = all.</summary>
    public int TopK { get; init; }

    /// <summary>Only the fewest most probable tokens that together have this mass; 1 = all.</summary>
    public double TopP { get; init; } = 1;

    /// <summary>Complete blocks are cached, each by one more forward (SDAR), and not computed again at every step (LLaDA2).</summary>
    public bool Cached { get; init; } = true;

    /// <summary>Revealed tokens of the block may change until it is left (LLaDA2.1); null = they stay.</summary>
    public TokenEditing? Editing { get; init; }

    /// <summary>Ends a completion after the block in which it is revealed; null = nothing does.</summary>
    public int? StopToken { get; init; }

    internal BlockDiffusionSettings Checked()
    {
        RequireCommon();
        Require(BlockLength >= 1 && Steps >= 1 && Steps <= BlockLength, $"block-length {BlockLength} must be positive, and steps {Steps} at least 1 and at most a block's tokens");
        Require(TopK >= 0 && TopP is > 0 and <= 1, $"top-k {TopK} must be 0 or positive, and top-p {TopP} above 0 and at most 1");
        Require(Editing is null || !Cached, "editing needs blocks that are not cached: it goes on after a block is complete");
        return this;
    }
}

/// <summary>LLaDA2.1's editing of a block's tokens.</summary>
/// <param name="Threshold">another token takes a revealed one's place where it is more probable than this</param>
/// <param name="PostSteps">the most forwards after a block is complete</param>
public sealed record TokenEditing(double Threshold, int PostSteps);

/// <summary>
/// SDAR's block diffusion decoding (Cheng et al., arXiv 2510.06303). The cache is exact: a complete block never changes and sees nothing behind it. Blocks are counted from the canvas's begin, so the
/// first one that is denoised may hold the end of the prompt. Shapes: B canvases, K positions of a block, V vocabulary.
/// </summary>
/// <remarks>Sequential order has exact behaviour log-probabilities where nothing is filtered; the two others choose by sampled tokens.</remarks>
public static class BlockDiffusionDecoder
{
    /// <inheritdoc cref="SemiAutoregressiveDecoder.Decode(TransformerModel, Tensor, Tensor?, SemiAutoregressiveSettings, Action{Tensor}?)"/>
    public static Tensor Decode(TransformerModel model, Tensor prompt_BP, BlockDiffusionSettings settings, Action<Tensor>? seen = null) => Decode(model, prompt_BP, settings, seen, new DecodingDraws(settings.Seed));

    internal static Tensor Decode(TransformerModel model, Tensor prompt_BP, BlockDiffusionSettings settings, Action<Tensor>? seen, DecodingDraws draws)
    {
        settings.Checked();
        if (model.Spec.AttentionBlock is not { } trained) throw new ModelException($"a {model.Spec.Family} model sees what is behind a block: its blocks cannot be cached exactly");
        if (trained != settings.BlockLength) throw new DecodingException($"block-length {settings.BlockLength} must be the model's, {trained}: it sees blocks of that many tokens");
        using var quiet = no_grad();
        var prompt = (int)prompt_BP.shape[1];
        var blocks = (prompt + settings.GenLength + settings.BlockLength - 1) / settings.BlockLength;
        using var canvas = DecodingCanvas.Behind(model, prompt_BP, null, (blocks * settings.BlockLength) - prompt, seen);
        using var cache = new KeyValueCache();
        var (first, call) = (prompt / settings.BlockLength * settings.BlockLength, 0);
        if (first > 0 && settings.Cached)
        {
            using var scope = NewDisposeScope();
            canvas.Hidden(0, first, first - 1, first, cache, store: true);
        }

        for (var begin = first; begin < canvas.Length; begin += settings.BlockLength)
        {
            var end = begin + settings.BlockLength;
            var after = 0;
            for (var step = 0; ; step++)
            {
                using var scope = NewDisposeScope();
                var complete = canvas.MaskedCounts(begin, end).All(left => left == 0);
                if (complete && !settings.Cached && (settings.Editing is null || after++ == settings.Editing.PostSteps)) break;
                if (!complete && step >= settings.Steps && settings.Editing is null) throw new InvalidOperationException($"{settings.Steps} steps have not revealed the block at {begin}");
                // A window from the canvas's begin is a forward of everything up to the block.
                var from = settings.Cached ? begin : 0;
                var hidden_BKD = canvas.Hidden(from, end, begin, end, cache, store: complete && settings.Cached);
                if (complete && settings.Cached) break;
                var masked_BK = canvas.Masked(begin, end);
                var (tokens_BK, confidence_BK) = Propose(canvas.Logits(hidden_BKD), settings, draws, call++, begin);
                var quota = settings.Editing is null ? DenoisingPlan.QuotaOf(settings.BlockLength, settings.Steps, step) : 1;
                var chosen_BK = settings.Remasking switch
                {
                    BlockRemasking.Sequential => Choices.Leftmost(masked_BK, quota),
                    BlockRemasking.LowConfidenceStatic => Choices.Surest(confidence_BK, masked_BK, canvas.Quota(quota)),
                    _ => Choices.AboveOrSurest(confidence_BK, masked_BK, settings.Threshold, canvas.Quota(quota)),
                };
                if (settings.Editing is { } editing)
                {
                    var edited_BK = canvas.Differs(begin, tokens_BK).logical_and(confidence_BK.Above((float)editing.Threshold)).logical_and(masked_BK.logical_not());
                    if (complete && !edited_BK.any().cpu().item<bool>()) break;
                    chosen_BK = chosen_BK.logical_or(edited_BK);
                }

                canvas.Reveal(begin, tokens_BK, chosen_BK);
            }

            if (settings.StopToken is { } stop && Stopped(canvas, stop, end)) break;
        }

        return canvas.Ids_BL.clone();
    }

    private static bool Stopped(DecodingCanvas canvas, int stop, int end)
    {
        using var scope = NewDisposeScope();
        var completion_BG = canvas.Ids_BL.narrow(1, canvas.Begin, end - canvas.Begin);
        return completion_BG.eq(zeros_like(completion_BG).Plus((long)stop)).any(1).all().cpu().item<bool>();
    }

    /// <summary>Tokens and their probabilities after temperature and filters.</summary>
    private static (Tensor Tokens_BK, Tensor Confidence_BK) Propose(Tensor logits_BKV, BlockDiffusionSettings settings, DecodingDraws draws, int call, int begin)
    {
        // As published, unlike Dream's: the mass is that of the top k among themselves.
        if (settings.Temperature > 0) logits_BKV = TokenFilter.Of(TokenFilter.Of(logits_BKV.DividedBy(settings.Temperature), settings.TopK, 1), 0, settings.TopP);
        var tokens_BK = draws.Tokens(logits_BKV, settings.Temperature > 0 ? 1 : 0, call, begin);
        return (tokens_BK, OutputDistribution.At(logits_BKV.softmax(-1), tokens_BK));
    }
}
