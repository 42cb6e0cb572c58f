using System.Text.Json;
using Lateral.Diffusion.Decoding;
using Lateral.Diffusion.Models;
using static TorchSharp.torch;

namespace Lateral.Diffusion.Parity;

/// <summary>Decoders against the reference's, call by call: every ids tensor that the model is given, and the output. Files <c>gen-*</c>.</summary>
internal static class GenerationParity
{
    public static IEnumerable<ParityResult> Run(ParityFolder folder)
    {
        foreach (var name in folder.Cases("gen-")) yield return Compare(folder, name);
    }

    private static ParityResult Compare(ParityFolder folder, string name)
    {
        var title = $"{folder.Name}/{name}";
        using var scope = NewDisposeScope();
        var fixture = folder.Json(name)!.Value;
        // Block-causal models are decoded in blocks of other sizes, too.
        using var model = folder.Load(attentionBlock: BlockOf(fixture));
        var seen = new List<long[][]>();
        Tensor output_BL;
        try
        {
            if (Decoder(folder, model, name, fixture) is not { } decode) return new(title, double.NaN, "no decoder here does what it was made with");
            output_BL = decode(ids => seen.Add(Ids(ids)));
        }
        catch (Exception mistake) when (mistake is DecodingException or ModelException or InvalidOperationException)
        {
            return new(title, double.NaN, mistake.Message);
        }

        var expected = fixture.GetProperty("model_inputs_per_call").EnumerateArray().Select(call => ParityFolder.Ids(call)).ToList();
        var different = Enumerable.Range(0, Math.Max(expected.Count, seen.Count)).Where(call => call >= expected.Count || call >= seen.Count || !Same(expected[call], seen[call])).ToList();
        if (different.Count > 0) return new(title, different.Count, $"call {different[0]} of {expected.Count} differs ({seen.Count} were made)");
        return Same(ParityFolder.Ids(fixture.GetProperty("output")), Ids(output_BL)) ? new(title, 0, "") : new(title, 1, "the output differs");
    }

    private static bool Same(long[][] a, long[][] b) => a.Length == b.Length && a.Zip(b).All(rows => rows.First.AsSpan().SequenceEqual(rows.Second));

    private static long[][] Ids(Tensor ids_BL)
    {
        using var scope = NewDisposeScope();
        var (values, length) = (ids_BL.contiguous().cpu().data<long>().ToArray(), (int)ids_BL.shape[1]);
        return [.. values.Chunk(length)];
    }

    /// <summary>A decoding with the parameters of a file; null = none of ours has them.</summary>
    private static Func<Action<Tensor>, Tensor>? Decoder(ParityFolder folder, TransformerModel model, string name, JsonElement fixture)
    {
        var settings = fixture.TryGetProperty("case", out var inner) ? inner : fixture;
        var prompt_BP = ParityFolder.Rows(fixture.GetProperty("prompt"));
        var attend_BP = fixture.TryGetProperty("attention_mask", out var mask) && mask.ValueKind == JsonValueKind.Array ? ParityFolder.Rows(mask) : null;
        if (model.Spec.Family == "sdar") return Sdar(model, prompt_BP, fixture, settings);
        if (model.Spec.Shifted) return Dream(model, prompt_BP, attend_BP, fixture, settings);
        if (fixture.TryGetProperty("kwargs", out var keywords)) return Llada2(model, prompt_BP, keywords);
        if (settings.TryGetProperty("threshold_back", out var back))
        {
            var decoding = new RevisingSettings(Int(settings, "gen_length"), Int(settings, "block_length"), settings.GetProperty("threshold").GetDouble(), back.GetDouble());
            return seen => RevisingDecoder.Decode(model, prompt_BP, decoding, seen);
        }

        return Llada(folder, name, model, prompt_BP, attend_BP, fixture, settings);
    }

    private static Func<Action<Tensor>, Tensor> Llada(ParityFolder folder, string name, TransformerModel model, Tensor prompt_BP, Tensor? attend_BP, JsonElement fixture, JsonElement settings)
    {
        var decoding = new SemiAutoregressiveSettings(Int(settings, "gen_length"), Int(settings, "block_length"), Int(settings, "steps"))
        {
            Temperature = Number(settings, "temperature", 0),
            Random = Text(settings, "remasking") == "random",
            GuidanceScale = Number(settings, "cfg_scale", 0),
            Rule = settings.TryGetProperty("threshold", out var threshold) && threshold.ValueKind == JsonValueKind.Number ? new ConfidenceThreshold(threshold.GetDouble())
                : settings.TryGetProperty("factor", out var factor) && factor.ValueKind == JsonValueKind.Number ? new ConfidenceFactor(factor.GetDouble()) : DecodingRule.Share,
            Cache = Text(settings, "fn") switch { "generate_with_prefix_cache" => DecodingCache.Prefix, "generate_with_dual_cache" => DecodingCache.Dual, _ => DecodingCache.None },
            EarlyCommit = fixture.TryGetProperty("thresholds", out var gaps)
                ? new(Int(fixture, "answer_start_pos"), Int(fixture, "answer_length")) { Early = gaps.GetProperty("early").GetDouble(), Middle = gaps.GetProperty("mid").GetDouble(), Late = gaps.GetProperty("late").GetDouble() }
                : null,
        };
        return seen =>
        {
            if (!folder.Has($"{name}.safetensors")) return SemiAutoregressiveDecoder.Decode(model, prompt_BP, attend_BP, decoding, seen);
            using var draws = folder.Tensors(name);
            return SemiAutoregressiveDecoder.Decode(model, prompt_BP, attend_BP, decoding, seen, RecordedDraws.Llada(draws, (int)prompt_BP.shape[1]));
        };
    }

    private static Func<Action<Tensor>, Tensor>? Dream(TransformerModel model, Tensor prompt_BP, Tensor? attend_BP, JsonElement fixture, JsonElement settings)
    {
        DreamAlgorithm? algorithm = Text(settings, "alg") switch
        {
            "origin" => DreamAlgorithm.Origin,
            "maskgit_plus" => DreamAlgorithm.MaskgitPlus,
            "topk_margin" => DreamAlgorithm.TopkMargin,
            "entropy" => DreamAlgorithm.Entropy,
            "confidence_threshold" => DreamAlgorithm.Threshold,
            _ => null,
        };
        if (algorithm is not { } known) return null;
        var decoding = new DreamSettings(Int(settings, "max_new_tokens"), Int(settings, "steps"), known)
        {
            Epsilon = Number(settings, "eps", 1e-3),
            Temperature = Number(settings, "temperature", 0),
            Threshold = Number(settings, "threshold", .9),
            Cache = settings.TryGetProperty("dual", out var dual) && dual.ValueKind is JsonValueKind.True or JsonValueKind.False ? dual.GetBoolean() ? DecodingCache.Dual : DecodingCache.Prefix : DecodingCache.None,
            BlockLength = settings.TryGetProperty("block_length", out var block) && block.ValueKind == JsonValueKind.Number ? block.GetInt32() : null,
        };
        var draws = fixture.TryGetProperty("uniform_per_step", out var uniforms) ? RecordedDraws.Dream(uniforms, fixture.GetProperty("model_inputs_per_call"), model.Spec.MaskToken) : new DecodingDraws(0);
        return seen => DreamDecoder.Decode(model, prompt_BP, attend_BP, decoding, seen, draws);
    }

    private static Func<Action<Tensor>, Tensor>? Sdar(TransformerModel model, Tensor prompt_BP, JsonElement fixture, JsonElement settings)
    {
        BlockRemasking? remasking = Text(settings, "remasking_strategy") switch
        {
            "sequential" => BlockRemasking.Sequential,
            "low_confidence_static" => BlockRemasking.LowConfidenceStatic,
            "low_confidence_dynamic" => BlockRemasking.LowConfidenceDynamic,
            _ => null,
        };
        if (remasking is not { } known) return null;
        var decoding = new BlockDiffusionSettings(Int(settings, "gen_length"), Int(settings, "block_length"), Int(settings, "denoising_steps"), known)
        {
            Threshold = Number(settings, "confidence_threshold", .85),
            Temperature = Number(settings, "temperature", 0),
            TopK = (int)Number(settings, "top_k", 0),
            TopP = Number(settings, "top_p", 1),
        };
        var draws = fixture.TryGetProperty("uniform_per_denoise_call", out var uniforms) ? RecordedDraws.Sdar(uniforms) : new DecodingDraws(0);
        return seen => BlockDiffusionDecoder.Decode(model, prompt_BP, decoding, seen, draws);
    }

    private static Func<Action<Tensor>, Tensor> Llada2(TransformerModel model, Tensor prompt_BP, JsonElement settings)
    {
        var (length, block) = (Int(settings, "gen_length"), Int(settings, "block_length"));
        var decoding = new BlockDiffusionSettings(length, block, (int)Number(settings, "steps", block), BlockRemasking.LowConfidenceDynamic)
        {
            Threshold = Number(settings, "threshold", .95),
            Temperature = Number(settings, "temperature", 0),
            Cached = false,
            Editing = settings.TryGetProperty("editing_threshold", out var editing) ? new(editing.GetDouble(), Int(settings, "max_post_steps")) : null,
        };
        // What generate returns is the completion alone.
        return seen => BlockDiffusionDecoder.Decode(model, prompt_BP, decoding, seen).narrow(1, prompt_BP.shape[1], length);
    }

    private static int? BlockOf(JsonElement fixture)
    {
        var settings = fixture.TryGetProperty("case", out var inner) ? inner : fixture.TryGetProperty("kwargs", out inner) ? inner : fixture;
        return settings.TryGetProperty("block_length", out var block) && block.ValueKind == JsonValueKind.Number ? block.GetInt32() : null;
    }

    private static int Int(JsonElement element, string key) => element.GetProperty(key).GetInt32();

    private static double Number(JsonElement element, string key, double absent) => element.TryGetProperty(key, out var value) && value.ValueKind == JsonValueKind.Number ? value.GetDouble() : absent;

    private static string? Text(JsonElement element, string key) => element.TryGetProperty(key, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;
}
