using System.Collections.Immutable;
using System.Text.Json.Nodes;

namespace Lateral.Diffusion.Models;

/// <summary>LLaDA2.0 and 2.1: block-causal with experts, of which a token chooses by sigmoids within groups; one matrix for queries, keys and values, and half a head turns.</summary>
internal sealed class Llada2Family : QwenNamed
{
    private const int PublishedBlock = 32;

    private static readonly (string Key, string Value)[] Fixed =
    [
        ("hidden_act", "\"silu\""), ("norm_head", "false"), ("norm_softmax", "false"), ("score_function", "\"sigmoid\""), ("tie_word_embeddings", "false"), ("use_qkv_bias", "false"), ("use_bias", "false"),
        ("use_qk_norm", "true"), ("use_rmsnorm", "true"), ("embedding_dropout", "0"), ("attention_dropout", "0"), ("output_dropout", "0"), ("use_sliding_window", "false"), ("rope_scaling", "null"),
        ("using_split_qkv_in_self_attention", "false"), ("moe_router_enable_expert_bias", "true"), ("router_dtype", "\"fp32\""),
    ];

    public override IReadOnlyList<string> Types { get; } = ["llada2_moe"];

    public override string Embedding => "model.word_embeddings.weight";

    public override string Block(int layer, string part) => $"model.layers.{layer}." + part switch
    {
        "attn_norm" => "input_layernorm.weight",
        "ff_norm" => "post_attention_layernorm.weight",
        ModelLayout.Fused => "attention.query_key_value.weight",
        "q_norm" => "attention.query_layernorm.weight",
        "k_norm" => "attention.key_layernorm.weight",
        "attn_out" => "attention.dense.weight",
        _ => Mlp(part),
    };

    public override TransformerSpec Read(ModelConfig config)
    {
        foreach (var (key, value) in Fixed) config.Only(key, value);
        config.Ignore("sliding_window");
        var spec = Sizes(config, config.Int("intermediate_size"));
        if (config.OptionalInt("rotary_dim") is { } rotary && rotary != spec.RotaryWidth) throw new ModelException($"rotary_dim = {rotary} and partial_rotary_factor, which gives {spec.RotaryWidth}, disagree");
        var (width, shared, dense) = (config.Int("moe_intermediate_size"), config.OptionalInt("num_shared_experts") ?? 0, config.OptionalInt("first_k_dense_replace") ?? 0);
        if (dense < 0 || dense > spec.Layers) throw new ModelException($"first_k_dense_replace {dense} must be at most the {spec.Layers} blocks");
        if (shared is < 0 or > ExpertSpec.MostShared || width > TransformerSpec.MostWidth) throw new ModelException($"num_shared_experts {shared} must be from 0 to {ExpertSpec.MostShared}, and moe_intermediate_size {width} at most {TransformerSpec.MostWidth}");
        return spec with
        {
            Family = Types[0],
            RotaryRounded = true,
            HeadNorm = true,
            FusedAttention = true,
            AttentionBlock = config.OptionalInt("block_size") ?? PublishedBlock,
            Experts = new(config.Int("num_experts"), config.Int("num_experts_per_tok"), width, Enumerable.Range(0, dense).ToImmutableSortedSet(), shared * width)
            {
                Sigmoid = true,
                HasBias = true,
                Renormalised = config.Flag("norm_topk_prob", true),
                Scale = config.Number("routed_scaling_factor", 1),
                Groups = config.OptionalInt("n_group") ?? 1,
                GroupsPerToken = config.OptionalInt("topk_group") ?? 1,
            },
        };
    }

    public override JsonObject Write(TransformerSpec spec)
    {
        var experts = spec.Experts!;
        var root = new JsonObject { ["architectures"] = new JsonArray("LLaDA2MoeModelLM"), [ModelFamilies.TypeKey] = Types[0] };
        foreach (var (key, value) in Fixed) root[key] = JsonNode.Parse(value);
        WriteSizes(spec, root);
        foreach (var (key, value) in new (string, JsonNode?)[]
        {
            ("intermediate_size", spec.MlpWidth), ("moe_intermediate_size", experts.Width), ("num_experts", experts.Count), ("num_experts_per_tok", experts.PerToken), ("num_shared_experts", experts.SharedWidth / experts.Width),
            ("first_k_dense_replace", experts.DenseLayers.Count), ("n_group", experts.Groups), ("topk_group", experts.GroupsPerToken), ("norm_topk_prob", experts.Renormalised), ("routed_scaling_factor", experts.Scale), ("block_size", spec.AttentionBlock),
        }) root[key] = value;
        return root;
    }
}
