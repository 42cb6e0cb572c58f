using Lateral.Diffusion.Likelihoods;
using Lateral.Diffusion.Models;
using Lateral.Diffusion.Tensors;
using static TorchSharp.torch;

namespace Lateral.Diffusion.Decoding;

/// <summary>How WINO completes a prompt: it reveals widely and takes back what does not hold.</summary>
/// <param name="Threshold">a token is revealed where it is surer than this</param>
/// <param name="ThresholdBack">and masked again where it is less sure than this, seen from all other positions</param>
public sealed record RevisingSettings(int GenLength, int BlockLength, double Threshold, double ThresholdBack) : DecodingSettings(GenLength)
{
    /// <summary>For so many positions instead.</summary>
    internal RevisingSettings For(int positions) => (this with { GenLength = Covering(positions, BlockLength) }).Checked();

    internal RevisingSettings Checked()
    {
        RequireBlocks(BlockLength);
        Require(Threshold is > 0 and < 1 && ThresholdBack is > 0 and <= 1, $"threshold {Threshold} and threshold-back {ThresholdBack} must be probabilities");
        return this;
    }
}

/// <summary>
/// Wide-in narrow-out decoding (WINO, Hong et al., arXiv 2507.18578): beside the canvas stands a shadow of the block, all masks, whose position i sees everything but the block's token i; so it says how
/// probable that token is given the others. Nothing else sees the shadow. One canvas at a time.
/// </summary>
/// <remarks>Tokens are revised: a trajectory of it has no log-probability per position. For answers, not for rollouts to learn from. Shapes: L canvas, K block, V vocabulary.</remarks>
public static class RevisingDecoder
{
    // Of the masks that are left, how many may be revealed at once; and the bounds of that number.
    private const double WidestShare = .7;
    private const int Least = 5, Most = 20;

    // What a block's first step is compared with: more than it can reveal.
    private const int BeforeTheFirst = 30;

    /// <inheritdoc cref="SemiAutoregressiveDecoder.Decode(TransformerModel, Tensor, Tensor?, SemiAutoregressiveSettings, Action{Tensor}?)"/>
    public static Tensor Decode(TransformerModel model, Tensor prompt_1P, RevisingSettings settings, Action<Tensor>? seen = null)
    {
        settings.Checked();
        using var canvas = DecodingCanvas.Behind(model, prompt_1P, null, settings.GenLength, null);
        return Run(model, canvas, settings, seen);
    }

    /// <inheritdoc cref="SemiAutoregressiveDecoder.Fill(TransformerModel, Tensor, Tensor?, SemiAutoregressiveSettings, Action{Tensor}?)"/>
    public static Tensor Fill(TransformerModel model, Tensor canvas_1L, RevisingSettings settings, Action<Tensor>? seen = null)
    {
        using var canvas = DecodingCanvas.WithHoles(model, canvas_1L, null, null);
        return Run(model, canvas, settings.For(canvas.End - canvas.Begin), seen);
    }

    private static Tensor Run(TransformerModel model, DecodingCanvas canvas, RevisingSettings settings, Action<Tensor>? seen)
    {
        if (model.Spec.AnswersBefore || model.Spec.AttentionBlock is not null) throw new DecodingException($"revision needs a model that sees everything and answers in place, and {model.Spec.Family} does not");
        if (canvas.Canvases != 1) throw new DecodingException($"revision decodes one prompt at a time, got {canvas.Canvases}");
        using var quiet = no_grad();
        var (draws, call) = (new DecodingDraws(settings.Seed), 0);
        for (var begin = canvas.Begin; begin < canvas.End; begin += settings.BlockLength)
        {
            using var outer = NewDisposeScope();
            var length = Math.Min(settings.BlockLength, canvas.End - begin);
            var layout = Layout(canvas.Length, begin, length, model.Device);
            var (rows_N, shadow_1K) = (Rows(canvas.Length, begin, length, model.Device), zeros([1, length], ScalarType.Int64, model.Device).Plus((long)model.Spec.MaskToken));
            var accepted = BeforeTheFirst;
            for (int left; (left = canvas.MaskedCounts(begin, begin + length)[0]) > 0; call++)
            {
                using var scope = NewDisposeScope();
                var ids = cat([canvas.Ids_BL, shadow_1K], 1);
                seen?.Invoke(ids);
                var logits_2KV = canvas.Logits(model.HiddenRows(ids, rows_N, layout).view(2, length, -1));
                var masked_1K = canvas.Masked(begin, begin + length);
                var taking_1K = masked_1K.logical_not().logical_and(canvas.Open(begin, begin + length));
                var current_1K = canvas.Ids_BL.narrow(1, begin, length);
                var tokens_1K = draws.Tokens(logits_2KV.narrow(0, 0, 1), settings.Temperature, call, begin);
                var p_2KV = logits_2KV.softmax(-1);
                var confidence_1K = OutputDistribution.At(p_2KV.narrow(0, 0, 1), tokens_1K);
                var back_1K = OutputDistribution.At(p_2KV.narrow(0, 1, 1), current_1K);

                // What is above a threshold is the surest anyway, so both choices are a number of the surest: two numbers are read back.
                var counts = cat([confidence_1K.Above((float)settings.Threshold).logical_and(masked_1K).sum(1), back_1K.Above(Math.BitDecrement((float)settings.ThresholdBack)).logical_not().logical_and(taking_1K).sum(1)], 0).cpu().data<long>().ToArray();
                var wide = Math.Clamp((int)counts[0], 1, Math.Clamp((int)(left * WidestShare), Least, Most));
                var back = wide > 1 ? Math.Min((int)counts[1], accepted - 1) : 0;
                var taken_1K = Choices.Surest(back_1K.neg(), taking_1K, canvas.Quota(back));
                canvas.Reveal(begin, tokens_1K, Choices.Surest(confidence_1K, masked_1K, canvas.Quota(wide)));
                canvas.Hide(begin, taken_1K);
                accepted = wide;
            }
        }

        return canvas.Ids_BL.clone();
    }

    /// <summary>The canvas at its places, and the shadow at the block's.</summary>
    private static BlockCausalLayout Layout(int length, int begin, int block, Device device)
    {
        var all = length + block;
        var (position, visible) = (new long[all], new bool[all * all]);
        for (var query = 0; query < all; query++)
        {
            position[query] = query < length ? query : begin + query - length;
            for (var key = 0; key < all; key++) visible[(query * all) + key] = query < length ? key < length : key != position[query];
        }

        return new(HostTensor.Of(position, 1, all).to(device), HostTensor.Of(visible, 1, all, all).to(device), length);
    }

    /// <summary>The block's rows, and the shadow's behind them.</summary>
    private static Tensor Rows(int length, int begin, int block, Device device) =>
        HostTensor.Of([.. Enumerable.Range(begin, block).Concat(Enumerable.Range(length, block)).Select(i => (long)i)]).to(device);
}
