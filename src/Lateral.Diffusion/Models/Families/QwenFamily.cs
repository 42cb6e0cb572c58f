using System.Text.Json.Nodes;

namespace Lateral.Diffusion.Models;

/// <summary>
/// Models with the block and the names of Qwen: Dream and DiffuCoder (Ye et al., arXiv 2508.15487: Qwen2.5, read one position before) and SDAR and TraDo (Cheng et al., arXiv 2510.06303:
/// Qwen3, block-causal).
/// </summary>
/// <param name="blockwise">SDAR and not Dream</param>
internal sealed class QwenFamily(bool blockwise) : QwenNamed
{
    private static readonly (string Key, string Value)[] Fixed =
        [("hidden_act", "\"silu\""), ("rope_scaling", "null"), ("use_sliding_window", "false"), ("tie_word_embeddings", "false"), ("attention_dropout", "0")];

    public override IReadOnlyList<string> Types { get; } = blockwise ? ["sdar"] : ["Dream", "dream"];

    public override TransformerSpec Read(ModelConfig config)
    {
        foreach (var (key, value) in Fixed) config.Only(key, value);
        config.Only("attention_bias", blockwise ? "false" : "true");
        config.Only("use_mrope", "false");
        // Without use_sliding_window it means nothing.
        config.Ignore("sliding_window");
        return Sizes(config, config.Int("intermediate_size")) with
        {
            Family = Types[0],
            RotaryRounded = true,
            AttentionBias = !blockwise,
            Shifted = !blockwise,
            HeadNorm = blockwise,
            NormRoundedLast = blockwise,
            AttentionBlock = blockwise ? config.Int("block_size") : null,
        };
    }

    public override JsonObject Write(TransformerSpec spec)
    {
        var root = new JsonObject { ["architectures"] = new JsonArray(blockwise ? "SDARForCausalLM" : "DreamModel"), [ModelFamilies.TypeKey] = Types[0] };
        foreach (var (key, value) in Fixed) root[key] = JsonNode.Parse(value);
        WriteSizes(spec, root);
        root["intermediate_size"] = spec.MlpWidth;
        if (blockwise) (root["attention_bias"], root["block_size"]) = (false, spec.AttentionBlock);
        return root;
    }
}
