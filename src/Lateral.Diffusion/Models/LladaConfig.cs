using System.Text.Json;
using System.Text.Json.Nodes;

namespace Lateral.Diffusion.Models;

/// <summary>
/// Translates a released LLaDA `config.json` to a <see cref="TransformerSpec"/> and back. A setting that changes the mathematics and that
/// this model does not implement is refused by name: a model that loads computes what its authors trained.
/// </summary>
public static class LladaConfig
{
    // The values that this implementation computes; a file may state them or leave them out.
    private static readonly (string Key, string Value)[] Fixed =
    [
        ("model_type", "\"llada\""), ("block_type", "\"llama\""), ("layer_norm_type", "\"rms\""), ("activation_type", "\"silu\""), ("rope", "true"),
        ("rope_full_precision", "true"), ("include_bias", "false"), ("include_qkv_bias", "false"), ("bias_for_layer_norm", "false"), ("weight_tying", "false"),
        ("scale_logits", "false"), ("input_emb_norm", "false"), ("attention_layer_norm", "false"), ("layer_norm_with_affine", "true"), ("alibi", "false"),
        ("block_group_size", "1"), ("attention_dropout", "0"), ("embedding_dropout", "0"), ("residual_dropout", "0"), ("multi_query_attention", "null"),
    ];

    /// <exception cref="ModelException">The file is no LLaDA configuration, or asks for mathematics that is not implemented.</exception>
    public static TransformerSpec Read(string path)
    {
        try
        {
            return Parse(File.ReadAllText(path));
        }
        catch (Exception error) when (error is ModelException or JsonException or IOException or UnauthorizedAccessException)
        {
            throw new ModelException($"'{path}': {error.Message}", error);
        }
    }

    /// <inheritdoc cref="Read"/>
    public static TransformerSpec Parse(string json)
    {
        using var document = JsonDocument.Parse(json);
        var root = document.RootElement;
        if (root.ValueKind != JsonValueKind.Object) throw new ModelException("a model configuration is a JSON object");
        foreach (var (key, value) in Fixed)
        {
            if (root.TryGetProperty(key, out var found) && !Same(found, value))
                throw new ModelException($"{key} = {found.GetRawText()} is not implemented; only {key} = {value} is");
        }

        var heads = Int(root, "n_heads");
        if (Optional(root, "n_kv_heads") is { } shared && shared != heads) throw new ModelException($"n_kv_heads = {shared} is not implemented; it must equal n_heads = {heads}");
        return new TransformerSpec(
            Int(root, "d_model"), Int(root, "n_layers"), heads, Int(root, "mlp_hidden_size"), Optional(root, "embedding_size") ?? Int(root, "vocab_size"),
            Int(root, "max_sequence_length"), Number(root, "rms_norm_eps", 1e-5), Number(root, "rope_theta", 10_000), Int(root, "mask_token_id"),
            Optional(root, "eos_token_id"), Optional(root, "pad_token_id")).Checked();
    }

    /// <summary>The configuration as released models store it, so that other tools can load a model trained here.</summary>
    public static string Format(TransformerSpec spec)
    {
        var root = new JsonObject { ["architectures"] = new JsonArray("LLaDAModelLM") };
        foreach (var (key, value) in Fixed) root[key] = JsonNode.Parse(value);
        foreach (var (key, value) in new (string, JsonNode?)[]
        {
            ("d_model", spec.Width), ("n_layers", spec.Layers), ("n_heads", spec.Heads), ("n_kv_heads", spec.Heads), ("mlp_hidden_size", spec.MlpWidth),
            ("vocab_size", spec.Vocabulary), ("embedding_size", spec.Vocabulary), ("max_sequence_length", spec.MaxLength), ("rms_norm_eps", spec.NormEpsilon),
            ("rope_theta", spec.RopeTheta), ("mask_token_id", spec.MaskToken), ("eos_token_id", spec.EosToken), ("pad_token_id", spec.PadToken),
        }) root[key] = value;
        return root.ToJsonString(new JsonSerializerOptions { WriteIndented = true, IndentSize = 1 }) + "\n";
    }

    private static bool Same(JsonElement found, string value) => found.ValueKind switch
    {
        // 0 and 0.0 are one value.
        JsonValueKind.Number => double.TryParse(value, System.Globalization.CultureInfo.InvariantCulture, out var number) && found.GetDouble().Equals(number),
        _ => found.GetRawText() == value,
    };

    private static int Int(JsonElement root, string key) => Optional(root, key) ?? throw new ModelException($"{key} is missing");

    private static int? Optional(JsonElement root, string key)
    {
        if (!root.TryGetProperty(key, out var found) || found.ValueKind == JsonValueKind.Null) return null;
        return found.ValueKind == JsonValueKind.Number && found.TryGetInt32(out var number) ? number : throw new ModelException($"{key} = {found.GetRawText()} must be a whole number");
    }

    private static double Number(JsonElement root, string key, double absent)
    {
        if (!root.TryGetProperty(key, out var found)) return absent;
        return found.ValueKind == JsonValueKind.Number ? found.GetDouble() : throw new ModelException($"{key} = {found.GetRawText()} must be a number");
    }
}
