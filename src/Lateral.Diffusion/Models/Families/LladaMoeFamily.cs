using System.Collections.Immutable;
using System.Text.Json.Nodes;

namespace Lateral.Diffusion.Models;

/// <summary>LLaDA-MoE (7B-A1B): an OLMoE block that sees everything, norms per head, and weights of experts that are not renormalised.</summary>
internal sealed class LladaMoeFamily : QwenNamed
{
    private static readonly (string Key, string Value)[] Fixed =
    [
        ("attention_bias", "false"), ("attention_dropout", "0"), ("clip_qkv", "null"), ("hidden_act", "\"silu\""), ("moe_router_enable_expert_bias", "false"), ("moe_router_score_function", "\"softmax\""),
        ("qk_layernorm", "true"), ("rope_scaling", "null"), ("routed_scaling_factor", "1"), ("router_num_group", "null"), ("router_topk_group", "null"), ("shared_expert_intermediate_size", "null"),
        ("tie_word_embeddings", "false"),
    ];

    public override IReadOnlyList<string> Types { get; } = ["lladamoe", "llada_moe"];

    public override TransformerSpec Read(ModelConfig config)
    {
        foreach (var (key, value) in Fixed) config.Only(key, value);
        // The released code never renormalises, whatever this says.
        config.Ignore("norm_topk_prob");
        var width = config.Int("expert_intermediate_size");
        var spec = Sizes(config, config.OptionalInt("dense_intermediate_size") ?? width);
        var frequency = config.Ints("moe_layer_freq") ?? [.. Enumerable.Repeat(1, spec.Layers)];
        if (frequency.Count != spec.Layers || frequency.Any(layer => layer is not (0 or 1))) throw new ModelException($"moe_layer_freq must say 0 or 1 for each of {spec.Layers} blocks");
        return spec with
        {
            Family = Types[0],
            RotaryRounded = true,
            HeadNorm = true,
            Experts = new(config.Int("num_experts"), config.Int("num_experts_per_tok"), width, frequency.Index().Where(layer => layer.Item == 0).Select(layer => layer.Index).ToImmutableSortedSet(), SharedWidth: 0),
        };
    }

    public override JsonObject Write(TransformerSpec spec)
    {
        var experts = spec.Experts!;
        var root = new JsonObject { ["architectures"] = new JsonArray("LLaDAMoEModelLM"), [ModelFamilies.TypeKey] = Types[0] };
        foreach (var (key, value) in Fixed) root[key] = JsonNode.Parse(value);
        WriteSizes(spec, root);
        foreach (var (key, value) in new (string, JsonNode?)[]
        {
            ("dense_intermediate_size", spec.MlpWidth), ("expert_intermediate_size", experts.Width), ("num_experts", experts.Count), ("num_experts_per_tok", experts.PerToken),
            ("moe_layer_freq", new JsonArray([.. Enumerable.Range(0, spec.Layers).Select(layer => (JsonNode)(experts.In(layer) ? 1 : 0))])),
        }) root[key] = value;
        return root;
    }
}
