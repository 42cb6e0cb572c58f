using System.Text.Json;
using Lateral.Diffusion.Checkpoints;
using Lateral.Diffusion.Decoding;
using Lateral.Diffusion.Models;
using static TorchSharp.torch;

namespace Lateral.Diffusion.Parity;

/// <summary>A decoding with the parameters of a recorded one, by the decoder of its model's family. B canvases, P prompt, L canvas.</summary>
/// <param name="Run">told of the ids of every forward; returns what the reference returned, [B, L]</param>
/// <param name="Draws">the file that recorded draws are read from while it runs; null = none</param>
internal sealed record RecordedDecoding(Func<Action<Tensor>, Tensor> Run, SafetensorsFile? Draws = null) : IDisposable
{
    // Parameters of the references that no decoder here has, and the values that leave them off.
    private static readonly (string Key, string[] Off)[] Unimplemented =
        [("alg_temp", ["0", "0.0"]), ("logits_eos_inf", ["false"]), ("confidence_eos_eot_inf", ["false"]), ("num_to_transfer", ["1"]), ("eb_threshold", []), ("stopping_criteria_idx", ["[]"])];

    public void Dispose() => Draws?.Dispose();

    /// <exception cref="DecodingException">no decoder here does what it was made with</exception>
    public static RecordedDecoding Of(ParityFolder folder, TransformerModel model, string name, JsonElement fixture, JsonElement settings)
    {
        foreach (var (key, off) in Unimplemented)
        {
            if (settings.Find(key) is { } value && !off.Contains(value.GetRawText())) throw new DecodingException($"no decoder here has {key} = {value.GetRawText()}");
        }

        var (prompt_BP, attend_BP) = (fixture.Of("prompt").Batch(), fixture.Find("attention_mask")?.Batch());
        if (model.Spec.Family == "sdar") return Sdar(model, prompt_BP, fixture, settings);
        if (model.Spec.AttentionBlock is not null) return Llada2(model, prompt_BP, settings);
        if (model.Spec.Shifted) return Dream(model, prompt_BP, attend_BP, fixture, settings);
        if (settings.Find("threshold_back") is { } back)
        {
            var decoding = new RevisingSettings(settings.Int("gen_length"), settings.Int("block_length"), settings.Number("threshold"), back.GetDouble());
            return new(seen => RevisingDecoder.Decode(model, prompt_BP, decoding, seen));
        }

        return Llada(folder, name, model, prompt_BP, attend_BP, fixture, settings);
    }

    private static RecordedDecoding Llada(ParityFolder folder, string name, TransformerModel model, Tensor prompt_BP, Tensor? attend_BP, JsonElement fixture, JsonElement settings)
    {
        var decoding = new SemiAutoregressiveSettings(settings.Int("gen_length"), settings.Int("block_length"), settings.Int("steps"))
        {
            Temperature = settings.Number("temperature", 0),
            Random = Named(settings, "remasking", "low_confidence", ("low_confidence", false), ("random", true)),
            GuidanceScale = settings.Number("cfg_scale", 0),
            Rule = settings.Find("threshold") is { } threshold ? new ConfidenceThreshold(threshold.GetDouble()) : settings.Find("factor") is { } factor ? new ConfidenceFactor(factor.GetDouble()) : DecodingRule.Share,
            Cache = Named(settings, "fn", "generate", ("generate", DecodingCache.None), ("generate_with_prefix_cache", DecodingCache.Prefix), ("generate_with_dual_cache", DecodingCache.Dual)),
            // An answer that would go on behind the canvas ends with it.
            EarlyCommit = fixture.Find("thresholds") is { } gaps && fixture.Int("answer_start_pos") is var answer
                ? new(answer, Math.Min(fixture.Int("answer_length"), (int)prompt_BP.shape[1] + settings.Int("gen_length") - answer)) { Early = gaps.Number("early"), Middle = gaps.Number("mid"), Late = gaps.Number("late") }
                : null,
        };
        if (!folder.Has($"{name}.safetensors"))
        {
            if (decoding.Temperature > 0 || decoding.Random) throw new DecodingException($"{name}.safetensors, which has its random draws, is missing");
            return new(seen => SemiAutoregressiveDecoder.Decode(model, prompt_BP, attend_BP, decoding, seen));
        }

        var draws = folder.Tensors(name);
        return new(seen => SemiAutoregressiveDecoder.Decode(model, prompt_BP, attend_BP, decoding, seen, RecordedDraws.Llada(draws, (int)prompt_BP.shape[1])), draws);
    }

    private static RecordedDecoding Dream(TransformerModel model, Tensor prompt_BP, Tensor? attend_BP, JsonElement fixture, JsonElement settings)
    {
        var algorithm = Named(settings, "alg", null, ("origin", DreamAlgorithm.Origin), ("maskgit_plus", DreamAlgorithm.MaskgitPlus), ("topk_margin", DreamAlgorithm.TopkMargin), ("entropy", DreamAlgorithm.Entropy), ("confidence_threshold", DreamAlgorithm.Threshold));
        var decoding = new DreamSettings(settings.Int("max_new_tokens"), settings.Int("steps"), algorithm)
        {
            Epsilon = settings.Number("eps", 1e-3),
            Temperature = settings.Number("temperature", 0),
            TopK = settings.Int("top_k", 0),
            TopP = settings.Number("top_p", 1),
            Threshold = settings.Number("threshold", .9),
            Cache = settings.Find("dual") is not { } dual ? DecodingCache.None : dual.GetBoolean() ? DecodingCache.Dual : DecodingCache.Prefix,
            BlockLength = settings.Find("block_length")?.GetInt32(),
        };
        // Of tokens no draws are recorded.
        if (decoding.Temperature > 0) throw new DecodingException($"temperature = {decoding.Temperature} needs draws of tokens, and none are recorded");
        if (algorithm != DreamAlgorithm.Origin) return new(seen => DreamDecoder.Decode(model, prompt_BP, attend_BP, decoding, seen));
        var draws = RecordedDraws.Dream(fixture.Of("uniform_per_step"), fixture.Of("model_inputs_per_call"), model.Spec.MaskToken);
        return new(seen => DreamDecoder.Decode(model, prompt_BP, attend_BP, decoding, seen, draws));
    }

    private static RecordedDecoding Sdar(TransformerModel model, Tensor prompt_BP, JsonElement fixture, JsonElement settings)
    {
        var remasking = Named(settings, "remasking_strategy", null, ("sequential", BlockRemasking.Sequential), ("low_confidence_static", BlockRemasking.LowConfidenceStatic), ("low_confidence_dynamic", BlockRemasking.LowConfidenceDynamic));
        var block = settings.Int("block_length");
        var decoding = new BlockDiffusionSettings(settings.Int("gen_length"), block, Steps(settings.Int("denoising_steps"), block), remasking)
        {
            Threshold = settings.Number("confidence_threshold", .85),
            Temperature = settings.Number("temperature", 0),
            TopK = settings.Int("top_k", 0),
            TopP = settings.Number("top_p", 1),
        };
        if (fixture.Find("uniform_per_denoise_call") is { } uniforms) return new(seen => BlockDiffusionDecoder.Decode(model, prompt_BP, decoding, seen, RecordedDraws.Sdar(uniforms)));
        if (decoding.Temperature > 0) throw new DecodingException($"temperature = {decoding.Temperature} needs draws of tokens, and none are recorded");
        return new(seen => BlockDiffusionDecoder.Decode(model, prompt_BP, decoding, seen));
    }

    private static RecordedDecoding Llada2(TransformerModel model, Tensor prompt_BP, JsonElement settings)
    {
        var (length, block, end) = (settings.Int("gen_length"), settings.Int("block_length"), settings.Find("eos_id")?.GetInt32());
        var (edits, early) = (settings.Find("editing_threshold"), settings.Flag("eos_early_stop"));
        if (early && edits is null) throw new DecodingException("no decoder here ends within a block, which eos_early_stop = true does without editing");
        if (settings.Number("temperature", 0) is > 0 and var temperature) throw new DecodingException($"temperature = {temperature} needs draws of tokens, and none are recorded");
        var steps = Math.Min(settings.Int("steps", block), length / settings.Int("minimal_topk", 1));
        var decoding = new BlockDiffusionSettings(length, block, Steps(steps, block), BlockRemasking.LowConfidenceDynamic)
        {
            Threshold = settings.Number("threshold", .95),
            Cached = false,
            Editing = edits is { } threshold ? new(threshold.GetDouble(), settings.Int("max_post_steps", 16)) : null,
            // Version 2.0 ends after a block with the end token anyway, 2.1 when it is told to.
            StopToken = edits is null || early ? end : null,
        };
        return new(seen =>
        {
            // What it returns is the completion alone, up to its end token.
            var completion_1G = BlockDiffusionDecoder.Decode(model, prompt_BP, decoding, seen).narrow(1, prompt_BP.shape[1], length);
            var ended = end is { } token ? Array.IndexOf(completion_1G.contiguous().cpu().data<long>().ToArray(), (long)token) : -1;
            return ended < 0 ? completion_1G : completion_1G.narrow(1, 0, ended + 1);
        });
    }

    /// <summary>More steps than a block has tokens are as many: each of the first reveals one, and then none is left.</summary>
    private static int Steps(int steps, int block) => Math.Min(steps, block);

    private static T Named<T>(JsonElement settings, string key, string? absent, params ReadOnlySpan<(string Name, T Value)> known)
    {
        var name = settings.Text(key) ?? absent ?? throw new JsonException($"{key} is missing");
        foreach (var (candidate, value) in known)
        {
            if (candidate == name) return value;
        }

        throw new DecodingException($"no decoder here has {key} = {name}");
    }
}
