using Lateral.Diffusion.Likelihoods;
using Lateral.Diffusion.Models;
using Lateral.Diffusion.Sampling;
using Lateral.Diffusion.Tensors;
using static TorchSharp.torch;

namespace Lateral.Diffusion.Decoding;

/// <summary>How LLaDA completes a prompt: block by block from left to right, within a block in any order.</summary>
/// <param name="GenLength">tokens of a completion</param>
/// <param name="BlockLength">divides it</param>
/// <param name="Steps">of all blocks together, each the same number</param>
public sealed record SemiAutoregressiveSettings(int GenLength, int BlockLength, int Steps) : DecodingSettings(GenLength)
{
    /// <summary>Positions are revealed at random and not the surest first.</summary>
    public bool Random { get; init; }

    /// <summary>Classifier-free guidance, unconditional + (scale + 1) (conditional - unconditional); 0 = off.</summary>
    public double GuidanceScale { get; init; }

    public DecodingCache Cache { get; init; } = DecodingCache.None;

    /// <summary>What a step reveals of its block.</summary>
    public DecodingRule Rule { get; init; } = DecodingRule.Share;

    /// <summary>Ends early where the answer is decided; null = off.</summary>
    public EarlyCommit? EarlyCommit { get; init; }

    /// <summary>For so many positions instead.</summary>
    internal SemiAutoregressiveSettings For(int positions) => (this with { GenLength = Covering(positions, BlockLength) }).Checked();

    internal SemiAutoregressiveSettings Checked()
    {
        var blocks = RequireBlocks(BlockLength);
        Require(Steps >= blocks && Steps % blocks == 0, $"steps {Steps} must be a positive multiple of the {blocks} blocks of {BlockLength} tokens");
        Require(GuidanceScale >= 0, $"guidance scale {GuidanceScale} must be 0 or positive");
        Require(!Random || Rule is EvenShare, "random order reveals an even share: a rule of confidence has none to go by");
        Require(GuidanceScale == 0 || EarlyCommit is null, "early commit compares logits without guidance: choose one");
        Cache.Require();
        Require(Cache == DecodingCache.None || (GuidanceScale == 0 && EarlyCommit is null), "guidance and early commit look at all positions: they need cache = none");
        return this;
    }
}

/// <summary>
/// LLaDA's generation (Nie et al., arXiv 2502.09992, algorithm 5), cached and threshold forms of it (<see cref="DecodingCache"/>, <see cref="DecodingRule"/>), and Prophet's early commit.
/// </summary>
/// <remarks>
/// Where what is revealed depends on the sampled tokens (low confidence, threshold, factor, by run) the log-probabilities of the revealed tokens alone are no behaviour log-probabilities, and with a
/// cache they are not those of the learner's forward either: for answers, not for rollouts to learn from. Random order and the entropy bound see no sampled token: exact without cache, guidance and
/// early commit. Shapes: B canvases, K positions of a block, V vocabulary.
/// </remarks>
public static class SemiAutoregressiveDecoder
{
    /// <param name="prompt_BP">int64, padded on the left</param>
    /// <param name="attend_BP">1 where a prompt is no padding; null = nowhere</param>
    /// <param name="seen">told of the ids of every forward</param>
    /// <returns>[B, P + GenLength] int64, on the model's device; it belongs to the current dispose scope</returns>
    /// <exception cref="DecodingException">settings that do not fit one another</exception>
    public static Tensor Decode(TransformerModel model, Tensor prompt_BP, Tensor? attend_BP, SemiAutoregressiveSettings settings, Action<Tensor>? seen = null) =>
        Decode(model, prompt_BP, attend_BP, settings, seen, new DecodingDraws(settings.Seed));

    /// <summary>Fills the masks of a canvas wherever they stand, as between a beginning and an end: blocks go from the first mask to the last, and what is given in them stays.</summary>
    /// <param name="canvas_BL">int64; canvases may have their masks at different places</param>
    /// <param name="attend_BL">1 where a canvas is no padding; null = nowhere</param>
    /// <param name="settings">their gen-length is not used: it is that from the first mask to the last in whole blocks, and steps are those of all of them</param>
    /// <param name="seen">told of the ids of every forward</param>
    /// <returns>[B, L] int64, on the model's device; it belongs to the current dispose scope</returns>
    /// <exception cref="DecodingException">settings that do not fit one another, no mask, or a model that does not see what stands behind one</exception>
    public static Tensor Fill(TransformerModel model, Tensor canvas_BL, Tensor? attend_BL, SemiAutoregressiveSettings settings, Action<Tensor>? seen = null) =>
        Fill(model, canvas_BL, attend_BL, settings, seen, new DecodingDraws(settings.Seed));

    internal static Tensor Decode(TransformerModel model, Tensor prompt_BP, Tensor? attend_BP, SemiAutoregressiveSettings settings, Action<Tensor>? seen, DecodingDraws draws)
    {
        settings.Checked();
        using var canvas = DecodingCanvas.Behind(model, prompt_BP, attend_BP, settings.GenLength, seen);
        return Run(model, canvas, settings, draws);
    }

    internal static Tensor Fill(TransformerModel model, Tensor canvas_BL, Tensor? attend_BL, SemiAutoregressiveSettings settings, Action<Tensor>? seen, DecodingDraws draws)
    {
        using var canvas = DecodingCanvas.WithHoles(model, canvas_BL, attend_BL, seen);
        return Run(model, canvas, settings.For(canvas.End - canvas.Begin), draws);
    }

    private static Tensor Run(TransformerModel model, DecodingCanvas canvas, SemiAutoregressiveSettings settings, DecodingDraws draws)
    {
        if (settings.Cache is DelayedCache && model.Spec.AnswersBefore) throw new DecodingException($"a delayed cache needs a model that answers in place, and {model.Spec.Family} answers one position before");
        using var quiet = no_grad();
        var (perBlock, call) = (settings.Steps / (settings.GenLength / settings.BlockLength), 0);
        for (var begin = canvas.Begin; begin < canvas.End; begin += settings.BlockLength)
        {
            using var memory = new BlockMemory();
            var end = Math.Min(begin + settings.BlockLength, canvas.End);
            var counts = canvas.MaskedCounts(begin, end);
            // Between holes a block may be given.
            if (counts.All(count => count == 0)) continue;
            for (var step = 0; settings.Rule.Adaptive ? canvas.MaskedCounts(begin, end).Any(left => left > 0) : step < perBlock; step++, call++)
            {
                using var scope = NewDisposeScope();
                if (settings.EarlyCommit is { } early)
                {
                    var hidden_BGD = canvas.Hidden(canvas.Begin, canvas.End);
                    if (early.Decides(canvas, hidden_BGD, (call + 1.0) / settings.Steps))
                    {
                        canvas.Reveal(canvas.Begin, canvas.Logits(hidden_BGD).argmax(-1), canvas.Masked(canvas.Begin, canvas.End));
                        return canvas.Ids_BL.clone().MoveToOuterDisposeScope();
                    }

                    Reveal(hidden_BGD.narrow(1, begin - canvas.Begin, end - begin), step);
                }
                else Reveal(settings.GuidanceScale > 0 ? canvas.HiddenWithAndWithoutGiven(begin, end) : settings.Cache.Hidden(canvas, memory, begin, end, step, call), step);
            }

            void Reveal(Tensor hidden_BKD, int step)
            {
                var logits_BKV = canvas.Logits(hidden_BKD);
                if (settings.GuidanceScale > 0)
                {
                    var without_BKV = logits_BKV.narrow(0, canvas.Canvases, canvas.Canvases);
                    logits_BKV = logits_BKV.narrow(0, 0, canvas.Canvases);
                    logits_BKV = without_BKV.Plus(logits_BKV.Minus(without_BKV).Times(settings.GuidanceScale + 1));
                }

                var tokens_BK = draws.Tokens(logits_BKV, settings.Temperature, call, begin);
                var certainty_BK = settings.Random ? draws.Confidences(canvas.Canvases, end - begin, call, begin).to(model.Device) : settings.Rule.AsksEntropy ? OutputDistribution.Entropy(logits_BKV) : OutputDistribution.At(logits_BKV.softmax(-1), tokens_BK);
                canvas.Reveal(begin, tokens_BK, settings.Rule.Choose(certainty_BK, canvas.Masked(begin, end), canvas.Quota(counts.Select(count => DenoisingPlan.QuotaOf(count, perBlock, step)))));
            }
        }

        return canvas.Ids_BL.clone();
    }
}
