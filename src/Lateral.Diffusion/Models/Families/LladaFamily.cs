using System.Text.Json.Nodes;

namespace Lateral.Diffusion.Models;

/// <summary>LLaDA-8B and 1.5 (Nie et al., arXiv 2502.09992; an OLMo block without a causal mask), the models that are trained from nothing here, and their autoregressive twin.</summary>
internal sealed class LladaFamily : IModelFamily
{
    private const string UnmaskingPolicy = "unmasking_policy";

    /// <summary>No released model's: other tools must not load an autoregressive model as one that sees everything.</summary>
    private const string CausalType = "llada-causal";

    // The values that this implementation computes; a file may state them or leave them out.
    private static readonly (string Key, string Value)[] Fixed =
    [
        ("block_type", "\"llama\""), ("layer_norm_type", "\"rms\""), ("activation_type", "\"silu\""), ("rope", "true"),
        ("rope_full_precision", "true"), ("include_bias", "false"), ("include_qkv_bias", "false"), ("bias_for_layer_norm", "false"), ("weight_tying", "false"),
        ("scale_logits", "false"), ("input_emb_norm", "false"), ("attention_layer_norm", "false"), ("layer_norm_with_affine", "true"), ("alibi", "false"),
        ("block_group_size", "1"), ("attention_dropout", "0"), ("embedding_dropout", "0"), ("residual_dropout", "0"), ("multi_query_attention", "null"),
    ];

    public IReadOnlyList<string> Types { get; } = [ModelFamilies.Llada, CausalType];

    public string Embedding => "model.transformer.wte.weight";

    public string FinalNorm => "model.transformer.ln_f.weight";

    public string Head => "model.transformer.ff_out.weight";

    public string Block(int layer, string part) => $"model.transformer.blocks.{layer}.{part}.weight";

    public TransformerSpec Read(ModelConfig config)
    {
        var causal = config.Has(ModelFamilies.TypeKey) && config.Text(ModelFamilies.TypeKey) == CausalType;
        foreach (var (key, value) in Fixed) config.Only(key, value);
        var heads = config.Int("n_heads");
        var vocabulary = config.OptionalInt("vocab_size");
        return new(
            config.Int("d_model"), config.Layers("n_layers"), heads, config.Int("mlp_hidden_size"), config.OptionalInt("embedding_size") ?? vocabulary ?? throw new ModelException("vocab_size is missing"),
            config.Int("max_sequence_length"), config.Number("rms_norm_eps", 1e-5), config.Number("rope_theta", 10_000), config.MaskToken,
            config.OptionalInt("eos_token_id"), config.OptionalInt("pad_token_id"))
        {
            KeyHeads = config.OptionalInt("n_kv_heads") ?? heads,
            Causal = causal,
            UnmaskingPolicy = config.Flag(UnmaskingPolicy, false),
        };
    }

    public JsonObject Write(TransformerSpec spec)
    {
        var root = new JsonObject { ["architectures"] = new JsonArray("LLaDAModelLM"), [ModelFamilies.TypeKey] = spec.Causal ? CausalType : ModelFamilies.Llada };
        foreach (var (key, value) in Fixed) root[key] = JsonNode.Parse(value);
        foreach (var (key, value) in new (string, JsonNode?)[]
        {
            ("d_model", spec.Width), ("n_layers", spec.Layers), ("n_heads", spec.Heads), ("n_kv_heads", spec.KeyHeads), ("mlp_hidden_size", spec.MlpWidth),
            ("vocab_size", spec.Vocabulary), ("embedding_size", spec.Vocabulary), ("max_sequence_length", spec.MaxLength), ("rms_norm_eps", spec.NormEpsilon),
            ("rope_theta", spec.RopeTheta), ("mask_token_id", spec.MaskToken), ("eos_token_id", spec.EosToken), ("pad_token_id", spec.PadToken),
        }) root[key] = value;
        // A key of ours: other tools know neither it nor its tensors, and load the model without them.
        if (spec.UnmaskingPolicy) root[UnmaskingPolicy] = true;
        return root;
    }
}
