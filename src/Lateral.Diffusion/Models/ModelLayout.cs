namespace Lateral.Diffusion.Models;

/// <summary>One parameter of a model: its name in released checkpoints, its shape, and the spread of its values in a fresh model.</summary>
/// <param name="InitialDeviation">Standard deviation of a fresh model's values; null for a norm's weights, which begin at one.</param>
internal sealed record ParameterLayout(string Name, long[] Shape, double? InitialDeviation)
{
    public long Count => Shape.Aggregate(1L, (product, size) => product * size);
}

/// <summary>The one list of a model's parameters, from which loading, checking, initialising and counting follow.</summary>
internal static class ModelLayout
{
    /// <summary>Queries, keys and values in one matrix, in this order.</summary>
    public const string Fused = "qkv";

    /// <summary>Scores the experts of a token.</summary>
    public const string Router = "router", RouterBias = "router_bias";

    /// <summary>
    /// Fresh values: linear maps keep the variance of their input (1/sqrt(fan-in)); those that write into the residual stream are divided by
    /// sqrt(2 layers), so that its variance does not grow with depth; embedding 0.5; head 0.5/sqrt(width), for a nearly uniform first prediction.
    /// </summary>
    public static IReadOnlyList<ParameterLayout> Of(TransformerSpec spec)
    {
        long d = spec.Width, v = spec.Vocabulary;
        var family = ModelFamilies.Of(spec);
        var layout = new List<ParameterLayout> { new(family.Embedding, [v, d], 0.5) };
        for (var layer = 0; layer < spec.Layers; layer++)
        {
            var current = layer;
            layout.AddRange(BlockOf(spec, spec.Experts is { } experts && experts.In(layer) ? experts : null, part => family.Block(current, part)));
        }

        layout.Add(new(family.FinalNorm, [d], null));
        layout.Add(new(family.Head, [v, d], 0.5 / Math.Sqrt(d)));
        if (spec.ConditionWidth is { } condition) layout.AddRange(ModulatedLayout.Around(spec, condition, family.Around));
        if (spec.UnmaskingPolicy) layout.AddRange(UnmaskingPolicyLayout.Of(spec));
        return layout;
    }

    /// <summary>The parameters of one transformer block.</summary>
    /// <param name="experts">null = its MLP is dense</param>
    /// <param name="name">the name of a part</param>
    public static IEnumerable<ParameterLayout> BlockOf(TransformerSpec spec, ExpertSpec? experts, Func<string, string> name) =>
        spec.ConditionWidth is { } condition ? ModulatedLayout.BlockOf(spec, condition, name) : GatedOf(spec, experts, name);

    private static ParameterLayout[] GatedOf(TransformerSpec spec, ExpertSpec? experts, Func<string, string> name)
    {
        long d = spec.Width, heads = spec.Heads * spec.HeadWidth, keys = spec.KeyHeads * spec.HeadWidth;
        double fromWidth = 1 / Math.Sqrt(d), residual = 1 / Math.Sqrt(2.0 * spec.Layers);
        ParameterLayout[] projections = spec.FusedAttention
            ? [new(name(Fused), [heads + (2 * keys), d], fromWidth)]
            : [new(name("q_proj"), [heads, d], fromWidth), new(name("k_proj"), [keys, d], fromWidth), new(name("v_proj"), [keys, d], fromWidth)];
        ParameterLayout[] biases = spec.AttentionBias ? [new(name("q_bias"), [heads], 0), new(name("k_bias"), [keys], 0), new(name("v_bias"), [keys], 0)] : [];
        ParameterLayout[] norms = spec.HeadNorm ? [new(name("q_norm"), [spec.HeadWidth], null), new(name("k_norm"), [spec.HeadWidth], null)] : [];
        return
        [
            new(name("attn_norm"), [d], null), .. projections, .. biases, .. norms, new(name("attn_out"), [d, heads], 1 / Math.Sqrt(heads) * residual), new(name("ff_norm"), [d], null),
            .. experts is null ? Gated("", spec.MlpWidth) : Mixture(experts),
        ];

        ParameterLayout[] Gated(string prefix, long f) =>
            [new(name($"{prefix}ff_proj"), [f, d], fromWidth), new(name($"{prefix}up_proj"), [f, d], fromWidth), new(name($"{prefix}ff_out"), [d, f], 1 / Math.Sqrt(f) * residual)];

        IEnumerable<ParameterLayout> Mixture(ExpertSpec mixture) =>
        [
            new(name(Router), [mixture.Count, d], fromWidth), .. mixture.HasBias ? [new ParameterLayout(name(RouterBias), [mixture.Count], 0)] : Array.Empty<ParameterLayout>(),
            .. Enumerable.Range(0, mixture.Count).SelectMany(expert => Gated($"experts.{expert}.", mixture.Width)), .. mixture.SharedWidth > 0 ? Gated("shared.", mixture.SharedWidth) : [],
        ];
    }
}
