using System.Text.Json.Nodes;

namespace Lateral.Diffusion.Models;

/// <summary>
/// MDLM (Sahoo et al., arXiv 2406.07524): a diffusion transformer over GPT-2's vocabulary and a mask. Released ones were trained without being told the noise level: it is always 0 for them. What the paper
/// calls its substitution, no mask is predicted and a revealed token stays, is what all decoders and losses here do.
/// </summary>
internal sealed class MdlmFamily : IModelFamily
{
    // Its code says these, and no configuration does.
    private const int MlpRatio = 4;
    private const double NormEpsilon = 1e-5, RopeTheta = 10_000;

    private static readonly (string Key, string Value)[] Fixed = [("time_conditioning", "false"), ("tie_word_embeddings", "false")];

    public IReadOnlyList<string> Types { get; } = ["mdlm"];

    public string Embedding => "backbone.vocab_embed.embedding";

    public string FinalNorm => "backbone.output_layer.norm_final.weight";

    public string Head => "backbone.output_layer.linear.weight";

    public string Block(int layer, string part) => $"backbone.blocks.{layer}." + part switch
    {
        "attn_norm" => "norm1.weight",
        "ff_norm" => "norm2.weight",
        ModelLayout.Fused => "attn_qkv.weight",
        "attn_out" => "attn_out.weight",
        "ff_in" or "ff_in_bias" => $"mlp.0.{Kind(part)}",
        "ff_out" or "ff_out_bias" => $"mlp.2.{Kind(part)}",
        ModulatedLayout.Modulation or ModulatedLayout.ModulationBias => $"adaLN_modulation.{Kind(part)}",
        _ => throw new ArgumentOutOfRangeException(nameof(part), part, "no part of a block"),
    };

    public string Around(string part) => "backbone." + part switch
    {
        "sigma_in" or "sigma_in_bias" => $"sigma_map.mlp.0.{Kind(part)}",
        "sigma_out" or "sigma_out_bias" => $"sigma_map.mlp.2.{Kind(part)}",
        ModulatedLayout.Last or ModulatedLayout.LastBias => $"output_layer.adaLN_modulation.{Kind(part)}",
        ModulatedLayout.HeadBias => "output_layer.linear.bias",
        _ => throw new ArgumentOutOfRangeException(nameof(part), part, "no parameter around the blocks"),
    };

    public TransformerSpec Read(ModelConfig config)
    {
        foreach (var (key, value) in Fixed) config.Only(key, value);
        // Nothing is dropped here; and what is scaled by sigma is another model's output.
        config.Ignore("dropout", "scale_by_sigma");
        // The published checkpoint's configuration has the second name of each.
        int Either(string key, string published) => config.OptionalInt(published) ?? config.Int(key);
        var (width, heads, vocabulary) = (Either("hidden_size", "hidden_dim"), config.Int("n_heads"), config.Int("vocab_size"));
        if (heads <= 0 || width % heads != 0) throw new ModelException($"hidden_size {width} must divide into n_heads {heads}");
        return new(
            width, config.Layers("n_blocks"), heads, MlpRatio * width, vocabulary, Either("length", "model_length"), NormEpsilon, RopeTheta,
            // Where the tokenizer has no mask, its row was put behind all others.
            config.OptionalInt("mask_index") ?? config.NamedMaskToken ?? vocabulary - 1, config.OptionalInt("eos_token_id"), config.OptionalInt("pad_token_id"))
        {
            Family = Types[0],
            FusedAttention = true,
            RotaryRounded = true,
            ConditionWidth = config.Int("cond_dim"),
        };
    }

    public JsonObject Write(TransformerSpec spec)
    {
        var root = new JsonObject { [ModelFamilies.TypeKey] = Types[0] };
        foreach (var (key, value) in Fixed) root[key] = JsonNode.Parse(value);
        foreach (var (key, value) in new (string, JsonNode?)[]
        {
            ("hidden_size", spec.Width), ("n_blocks", spec.Layers), ("n_heads", spec.Heads), ("cond_dim", spec.ConditionWidth), ("vocab_size", spec.Vocabulary), ("length", spec.MaxLength),
            ("mask_index", spec.MaskToken), ("eos_token_id", spec.EosToken), ("pad_token_id", spec.PadToken), ("dropout", 0.0), ("scale_by_sigma", true),
        }) root[key] = value;
        return root;
    }

    private static string Kind(string part) => part.EndsWith("_bias", StringComparison.Ordinal) ? "bias" : "weight";
}
