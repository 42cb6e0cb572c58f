using Lateral.Diffusion.Likelihoods;
using Lateral.Diffusion.Models;
using Lateral.Diffusion.Tensors;
using static TorchSharp.torch;

namespace Lateral.Diffusion.Decoding;

/// <summary>What Dream reveals at a step.</summary>
public enum DreamAlgorithm
{
    /// <summary>Each masked position by itself, with the share of the noise that the step removes.</summary>
    Origin,

    /// <summary>The positions whose tokens are most probable.</summary>
    MaskgitPlus,

    /// <summary>Those whose two most probable tokens are furthest apart.</summary>
    TopkMargin,

    /// <summary>Those of least entropy.</summary>
    Entropy,

    /// <summary>All whose tokens are at least as probable as a threshold, and the best anyway (Fast-dLLM); without a cache at most a step's even share and what earlier steps left of theirs.</summary>
    Threshold,
}

/// <summary>How Dream completes a prompt: on the whole canvas at once, or in blocks with a cache.</summary>
public sealed record DreamSettings(int GenLength, int Steps, DreamAlgorithm Algorithm) : DecodingSettings(GenLength)
{
    /// <summary>Only so many of the most probable tokens; 0 = all.</summary>
    public int TopK { get; init; }

    /// <summary>Only the fewest most probable tokens that together have more than this mass; 1 = all.</summary>
    public double TopP { get; init; } = 1;

    /// <summary>Noise that is left at the end of time.</summary>
    public double Epsilon { get; init; } = 1e-3;

    /// <summary>Of <see cref="DreamAlgorithm.Threshold"/>.</summary>
    public double Threshold { get; init; } = .9;

    /// <summary>None, prefix or dual.</summary>
    public DecodingCache Cache { get; init; } = DecodingCache.None;

    /// <summary>With a cache; null = the whole completion.</summary>
    public int? BlockLength { get; init; }

    /// <summary>For so many positions instead.</summary>
    internal DreamSettings For(int positions) => (this with { GenLength = Covering(positions, BlockLength ?? positions) }).Checked();

    internal DreamSettings Checked()
    {
        RequireCommon();
        Require(Steps >= 1, $"steps {Steps} must be positive");
        Require(Epsilon is > 0 and < 1, $"epsilon {Epsilon} must be between 0 and 1");
        if (BlockLength is { } block)
        {
            var blocks = RequireBlocks(block);
            Require(Cache != DecodingCache.None && Steps % blocks == 0, $"blocks of {block} tokens need a cache, and a multiple of {blocks} steps");
        }

        Require(Cache is NoCache or PrefixCache or DualCache, "Dream's blocks are cached by prefix or dual");
        Require(Cache == DecodingCache.None || Algorithm is DreamAlgorithm.Entropy or DreamAlgorithm.Threshold, "with a cache, Dream reveals by entropy or by threshold");
        return this;
    }
}

/// <summary>Dream's generation (Ye et al., arXiv 2508.15487) and Fast-dLLM's cached form of it. Shapes: B canvases, K positions, V vocabulary.</summary>
/// <remarks>Entropy and margin see distributions and never sampled tokens: exact behaviour log-probabilities without a cache. Origin, too. Maskgit-plus and threshold: see <see cref="SemiAutoregressiveDecoder"/>.</remarks>
public static class DreamDecoder
{
    // As the published code adds it: a probability of 0 has no logarithm.
    private const double Tiny = 1e-10;

    /// <inheritdoc cref="SemiAutoregressiveDecoder.Decode(TransformerModel, Tensor, Tensor?, SemiAutoregressiveSettings, Action{Tensor}?)"/>
    public static Tensor Decode(TransformerModel model, Tensor prompt_BP, Tensor? attend_BP, DreamSettings settings, Action<Tensor>? seen = null) =>
        Decode(model, prompt_BP, attend_BP, settings, seen, new DecodingDraws(settings.Seed));

    /// <inheritdoc cref="SemiAutoregressiveDecoder.Fill(TransformerModel, Tensor, Tensor?, SemiAutoregressiveSettings, Action{Tensor}?)"/>
    public static Tensor Fill(TransformerModel model, Tensor canvas_BL, Tensor? attend_BL, DreamSettings settings, Action<Tensor>? seen = null)
    {
        using var canvas = DecodingCanvas.WithHoles(model, canvas_BL, attend_BL, seen);
        return Run(model, canvas, settings.For(canvas.End - canvas.Begin), new DecodingDraws(settings.Seed));
    }

    internal static Tensor Decode(TransformerModel model, Tensor prompt_BP, Tensor? attend_BP, DreamSettings settings, Action<Tensor>? seen, DecodingDraws draws)
    {
        settings.Checked();
        using var canvas = DecodingCanvas.Behind(model, prompt_BP, attend_BP, settings.GenLength, seen);
        return Run(model, canvas, settings, draws);
    }

    /// <summary>How many of the masks that are left a step reveals: int(n (1 - s / t)), in float32 as published, which is none at the first of 24 steps over 24 positions; the last takes the rest.</summary>
    internal static int Quota(float[] times, int step, int masked) => step == times.Length - 2 ? masked : (int)(masked * (1 - (times[step + 1] / times[step])));

    /// <summary>[steps + 1] from 1 down to epsilon.</summary>
    internal static float[] Times(int steps, double epsilon)
    {
        // libtorch counts from both ends, and its rounding decides how many positions a step reveals.
        var step = ((float)epsilon - 1f) / steps;
        return [.. Enumerable.Range(0, steps + 1).Select(i => i < (steps + 1) / 2 ? 1f + (step * i) : (float)epsilon - (step * (steps - i)))];
    }

    private static Tensor Run(TransformerModel model, DecodingCanvas canvas, DreamSettings settings, DecodingDraws draws)
    {
        using var quiet = no_grad();
        if (settings.Cache == DecodingCache.None) Whole(model, canvas, settings, draws);
        else Blocks(canvas, settings, draws);
        return canvas.Ids_BL.clone();
    }

    private static void Whole(TransformerModel model, DecodingCanvas canvas, DreamSettings settings, DecodingDraws draws)
    {
        var (begin, end) = (canvas.Begin, canvas.End);
        var (times, left) = (Times(settings.Steps, settings.Epsilon), canvas.MaskedCounts(begin, end));
        for (var step = 0; More(canvas, settings, begin, end, step, settings.Steps); step++)
        {
            using var scope = NewDisposeScope();
            var (tokens_BK, confidence_BK) = Propose(canvas.Logits(canvas.Hidden(begin, end)), settings, draws, step, begin);
            if (settings.Algorithm != DreamAlgorithm.Origin)
            {
                Reveal(canvas, settings, begin, tokens_BK, confidence_BK, times, step, left, settings.Algorithm == DreamAlgorithm.Threshold ? Most(canvas, settings, begin, end, step) : null);
                continue;
            }

            var share = step < settings.Steps - 1 ? 1 - (times[step + 1] / times[step]) : 1;
            canvas.Reveal(begin, tokens_BK, draws.Confidences(canvas.Canvases, end - begin, step, begin).to(model.Device).Plus(-share).lt(zeros_like(confidence_BK)).logical_and(canvas.Masked(begin, end)));
        }
    }

    /// <summary>What a step may reveal at most by a threshold: the even share of all steps so far, less what they revealed; when they are over, all that is left.</summary>
    private static int Most(DecodingCanvas canvas, DreamSettings settings, int begin, int end, int step)
    {
        var masked = canvas.MaskedCounts(begin, end).Max();
        return step + 1 < settings.Steps ? Math.Max(1, (settings.GenLength / settings.Steps * (step + 1)) - (settings.GenLength - masked)) : masked;
    }

    /// <summary>The forward that fills the cache reveals the block's first position, whose answer lies before the window; then the window is denoised.</summary>
    private static void Blocks(DecodingCanvas canvas, DreamSettings settings, DecodingDraws draws)
    {
        var length = settings.BlockLength ?? settings.GenLength;
        var perBlock = settings.Steps / (settings.GenLength / length);
        var (times, call) = (Times(perBlock, settings.Epsilon), 0);
        for (var begin = canvas.Begin; begin < canvas.End; begin += length)
        {
            using var memory = new BlockMemory();
            var end = Math.Min(begin + length, canvas.End);
            if (canvas.MaskedCounts(begin, end).All(count => count == 0)) continue;
            using (NewDisposeScope())
            {
                var (token_B1, _) = Propose(canvas.Logits(settings.Cache.Hidden(canvas, memory, begin, begin + 1, 0, call)), settings, draws, call++, begin);
                canvas.Reveal(begin, token_B1, canvas.Masked(begin, begin + 1));
            }

            var left = canvas.MaskedCounts(begin, end);
            for (var step = 1; More(canvas, settings, begin, end, step, perBlock); step++, call++)
            {
                using var scope = NewDisposeScope();
                var (tokens_BK, confidence_BK) = Propose(canvas.Logits(settings.Cache.Hidden(canvas, memory, begin, end, step, call)), settings, draws, call, begin);
                Reveal(canvas, settings, begin, tokens_BK, confidence_BK, times, step, left, most: null);
            }
        }
    }

    private static bool More(DecodingCanvas canvas, DreamSettings settings, int begin, int end, int step, int steps) =>
        settings.Algorithm == DreamAlgorithm.Threshold ? canvas.MaskedCounts(begin, end).Any(count => count > 0) : step < steps;

    /// <param name="left">[B] masks of each canvas, from which the step takes what it reveals; a threshold has no need of them</param>
    /// <param name="most">that a threshold lets through; null = any number</param>
    private static void Reveal(DecodingCanvas canvas, DreamSettings settings, int begin, Tensor tokens_BK, Tensor confidence_BK, float[] times, int step, int[] left, int? most)
    {
        var masked_BK = canvas.Masked(begin, begin + (int)tokens_BK.shape[1]);
        if (settings.Algorithm == DreamAlgorithm.Threshold)
        {
            canvas.Reveal(begin, tokens_BK, Choices.AtLeast(confidence_BK, masked_BK, settings.Threshold, most));
            return;
        }

        int[] quota = [.. left.Select(masks => Quota(times, step, masks))];
        canvas.Reveal(begin, tokens_BK, Choices.Surest(confidence_BK, masked_BK, canvas.Quota(quota)));
        for (var b = 0; b < left.Length; b++) left[b] -= quota[b];
    }

    /// <summary>Tokens, and how sure each position is, after temperature and filters.</summary>
    internal static (Tensor Tokens_BK, Tensor Confidence_BK) Propose(Tensor logits_BKV, DreamSettings settings, DecodingDraws draws, int call, int begin)
    {
        if (settings.Temperature > 0) logits_BKV = logits_BKV.DividedBy(settings.Temperature);
        logits_BKV = TokenFilter.Of(logits_BKV, settings.TopK, settings.TopP);
        var tokens_BK = draws.Tokens(logits_BKV, settings.Temperature > 0 ? 1 : 0, call, begin);
        var p_BKV = logits_BKV.softmax(-1);
        return (tokens_BK, settings.Algorithm switch
        {
            DreamAlgorithm.TopkMargin => OutputDistribution.Margin(p_BKV),
            DreamAlgorithm.Entropy => p_BKV.Times(p_BKV.Plus(Tiny).log()).sum(-1),
            _ => OutputDistribution.At(p_BKV, tokens_BK),
        });
    }
}
