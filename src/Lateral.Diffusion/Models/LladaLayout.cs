namespace Lateral.Diffusion.Models;

/// <summary>One parameter of a model: its name in released checkpoints, its shape, and the spread of its values in a fresh model.</summary>
/// <param name="InitialDeviation">Standard deviation of a fresh model's values; null for a norm's weights, which begin at one.</param>
internal sealed record ParameterLayout(string Name, long[] Shape, double? InitialDeviation)
{
    public long Count => Shape.Aggregate(1L, (product, size) => product * size);
}

/// <summary>The one list of a LLaDA model's parameters, from which loading, checking, initialising and counting follow.</summary>
internal static class LladaLayout
{
    public const string Embedding = "model.transformer.wte.weight";
    public const string FinalNorm = "model.transformer.ln_f.weight";
    public const string Head = "model.transformer.ff_out.weight";

    /// <summary>The name of block <paramref name="layer"/>'s part, such as `q_proj`.</summary>
    public static string Block(int layer, string part) => $"model.transformer.blocks.{layer}.{part}.weight";

    /// <summary>
    /// Fresh values: linear maps keep the variance of their input (1/sqrt(fan-in)); those that write into the residual stream are divided by
    /// sqrt(2 layers), so that its variance does not grow with depth; embedding 0.5; head 0.5/sqrt(width), for a nearly uniform first prediction.
    /// </summary>
    public static IReadOnlyList<ParameterLayout> Of(TransformerSpec spec)
    {
        long d = spec.Width, f = spec.MlpWidth, v = spec.Vocabulary;
        double fromWidth = 1 / Math.Sqrt(d), fromMlp = 1 / Math.Sqrt(f), residual = 1 / Math.Sqrt(2.0 * spec.Layers);
        var layout = new List<ParameterLayout> { new(Embedding, [v, d], 0.5) };
        for (var layer = 0; layer < spec.Layers; layer++)
        {
            layout.Add(new(Block(layer, "attn_norm"), [d], null));
            layout.Add(new(Block(layer, "q_proj"), [d, d], fromWidth));
            layout.Add(new(Block(layer, "k_proj"), [d, d], fromWidth));
            layout.Add(new(Block(layer, "v_proj"), [d, d], fromWidth));
            layout.Add(new(Block(layer, "attn_out"), [d, d], fromWidth * residual));
            layout.Add(new(Block(layer, "ff_norm"), [d], null));
            layout.Add(new(Block(layer, "ff_proj"), [f, d], fromWidth));
            layout.Add(new(Block(layer, "up_proj"), [f, d], fromWidth));
            layout.Add(new(Block(layer, "ff_out"), [d, f], fromMlp * residual));
        }

        layout.Add(new(FinalNorm, [d], null));
        layout.Add(new(Head, [v, d], 0.5 * fromWidth));
        return layout;
    }
}
