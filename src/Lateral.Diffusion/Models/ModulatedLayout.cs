namespace Lateral.Diffusion.Models;

/// <summary>The parameters of a model of <see cref="ModulatedBlock"/>s, where it has others than the rest. A fresh one modulates nothing (adaLN-zero): each block begins as the identity.</summary>
internal static class ModulatedLayout
{
    /// <summary>Shift, scale and gate of the attention, then of the MLP.</summary>
    public const string Modulation = "modulation", ModulationBias = "modulation_bias";

    /// <summary>Shift and scale of what the head reads.</summary>
    public const string Last = "last_modulation", LastBias = "last_modulation_bias";

    public const string HeadBias = "head_bias";

    /// <summary>A block's.</summary>
    /// <param name="condition">width of what the block is told</param>
    public static IEnumerable<ParameterLayout> BlockOf(TransformerSpec spec, int condition, Func<string, string> name)
    {
        long d = spec.Width, f = spec.MlpWidth;
        double fromWidth = 1 / Math.Sqrt(d), residual = 1 / Math.Sqrt(2.0 * spec.Layers);
        return
        [
            new(name(Modulation), [6 * d, condition], 0), new(name(ModulationBias), [6 * d], 0),
            new(name("attn_norm"), [d], null), new(name(ModelLayout.Fused), [3 * d, d], fromWidth), new(name("attn_out"), [d, d], fromWidth * residual),
            new(name("ff_norm"), [d], null), new(name("ff_in"), [f, d], fromWidth), new(name("ff_in_bias"), [f], 0), new(name("ff_out"), [d, f], 1 / Math.Sqrt(f) * residual), new(name("ff_out_bias"), [d], 0),
        ];
    }

    /// <summary>Those around the blocks, beside embedding, last norm and head.</summary>
    public static IEnumerable<ParameterLayout> Around(TransformerSpec spec, int condition, Func<string, string> name) =>
    [
        new(name("sigma_in"), [condition, Sinusoids.Features], 1 / Math.Sqrt(Sinusoids.Features)), new(name("sigma_in_bias"), [condition], 0),
        new(name("sigma_out"), [condition, condition], 1 / Math.Sqrt(condition)), new(name("sigma_out_bias"), [condition], 0),
        new(name(Last), [2L * spec.Width, condition], 0), new(name(LastBias), [2L * spec.Width], 0), new(name(HeadBias), [spec.Vocabulary], 0),
    ];
}
