using System.Text.Json.Nodes;

namespace Lateral.Diffusion.Models;

/// <summary>What all models that descend from Qwen's code share: the names of tensors, and the keys of sizes.</summary>
internal abstract class QwenNamed : IModelFamily
{
    public abstract IReadOnlyList<string> Types { get; }

    public virtual string Embedding => "model.embed_tokens.weight";

    public string FinalNorm => "model.norm.weight";

    public string Head => "lm_head.weight";

    public abstract TransformerSpec Read(ModelConfig config);

    public abstract JsonObject Write(TransformerSpec spec);

    public virtual string Block(int layer, string part) => $"model.layers.{layer}.{Within(part)}";

    /// <param name="mlpWidth">of a dense MLP; what its key is called differs</param>
    protected static TransformerSpec Sizes(ModelConfig config, int mlpWidth)
    {
        var (width, heads) = (config.Int("hidden_size"), config.Int("num_attention_heads"));
        if (config.OptionalInt("head_dim") is not { } head)
        {
            if (heads <= 0 || width % heads != 0) throw new ModelException($"hidden_size {width} does not divide into num_attention_heads {heads}, and head_dim is missing");
            head = width / heads;
        }

        return new(
            width, config.Layers("num_hidden_layers"), heads, mlpWidth, config.Int("vocab_size"), config.Int("max_position_embeddings"), config.Number("rms_norm_eps", 1e-6), config.Number("rope_theta", 10_000),
            config.MaskToken, config.OptionalInt("eos_token_id"), config.OptionalInt("pad_token_id"))
        {
            KeyHeads = config.OptionalInt("num_key_value_heads") ?? heads,
            HeadWidth = head,
            RotaryWidth = RotaryWidth(head, config.Number("partial_rotary_factor", 1)),
            PadUntrained = true,
        };
    }

    protected static void WriteSizes(TransformerSpec spec, JsonObject root)
    {
        foreach (var (key, value) in new (string, JsonNode?)[]
        {
            ("hidden_size", spec.Width), ("num_hidden_layers", spec.Layers), ("num_attention_heads", spec.Heads), ("num_key_value_heads", spec.KeyHeads), ("head_dim", spec.HeadWidth),
            ("vocab_size", spec.Vocabulary), ("max_position_embeddings", spec.MaxLength), ("rms_norm_eps", spec.NormEpsilon), ("rope_theta", spec.RopeTheta),
            ("mask_token_id", spec.MaskToken), ("eos_token_id", spec.EosToken), ("pad_token_id", spec.PadToken),
        }) root[key] = value;
        if (spec.RotaryWidth != spec.HeadWidth) root["partial_rotary_factor"] = (double)spec.RotaryWidth / spec.HeadWidth;
    }

    private static int RotaryWidth(int head, double share)
    {
        var turning = head * share;
        return turning >= 2 && turning <= head && turning == Math.Floor(turning) ? (int)turning : throw new ModelException($"partial_rotary_factor = {share} of head_dim {head} is no even number of values");
    }

    private static string Within(string part) => part switch
    {
        "attn_norm" => "input_layernorm.weight",
        "ff_norm" => "post_attention_layernorm.weight",
        "q_proj" or "k_proj" or "v_proj" or "q_norm" or "k_norm" => $"self_attn.{part}.weight",
        "q_bias" or "k_bias" or "v_bias" => $"self_attn.{part[0]}_proj.bias",
        "attn_out" => "self_attn.o_proj.weight",
        _ => Mlp(part),
    };

    /// <summary>Names that models of experts share.</summary>
    protected static string Mlp(string part) => part switch
    {
        ModelLayout.Router => "mlp.gate.weight",
        ModelLayout.RouterBias => "mlp.gate.expert_bias",
        _ when part.StartsWith("experts.", StringComparison.Ordinal) => $"mlp.experts.{part.Split('.')[1]}.{Linear(part)}",
        _ when part.StartsWith("shared.", StringComparison.Ordinal) => $"mlp.shared_experts.{Linear(part)}",
        _ => $"mlp.{Linear(part)}",
    };

    private static string Linear(string part) => part[(part.LastIndexOf('.') + 1)..] switch
    {
        "ff_proj" => "gate_proj.weight",
        "up_proj" => "up_proj.weight",
        "ff_out" => "down_proj.weight",
        _ => throw new ArgumentOutOfRangeException(nameof(part), part, "no part of a block"),
    };
}
