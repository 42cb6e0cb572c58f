using Lateral.Diffusion.Tensors;
using TorchSharp;
using static TorchSharp.torch;

namespace Lateral.Diffusion.Models;

/// <summary>
/// The block of a diffusion transformer (DiT with adaLN-zero, Peebles and Xie, arXiv 2212.09748, as MDLM has it, Sahoo et al., arXiv 2406.07524): what it is told about the noise, c, shifts and scales
/// each norm's output and gates what is added to the stream,
/// <c>x + gate(c) * f(norm(x) * (1 + scale(c)) + shift(c))</c>, for the attention and then for an MLP with GELU.
/// </summary>
/// <remarks>Shapes: B canvases, R rows, D width, F MLP width, C width of the condition; a condition of one row is every row's.</remarks>
internal sealed class ModulatedBlock(TransformerSpec spec) : TransformerBlock(spec)
{
    public override Tensor Run(BlockWeights weights, ExpertSpec? experts, Tensor x_RD, Attention attention, Tensor? rows_N)
    {
        var parts = weights.Linear(ModulatedLayout.Modulation, Told(attention), weights[ModulatedLayout.ModulationBias]).chunk(6, 1);
        var attended_RA = Attend(weights, Modulated(Normed(x_RD, weights["attn_norm"]), parts[0], parts[1]), attention);
        if (rows_N is not null) (x_RD, attended_RA) = (x_RD.index_select(0, rows_N), attended_RA.index_select(0, rows_N));
        x_RD = x_RD.Plus(weights.Linear("attn_out", attended_RA).Times(parts[2]));
        var h_RF = weights.Linear("ff_in", Modulated(Normed(x_RD, weights["ff_norm"]), parts[3], parts[4]), weights["ff_in_bias"]);
        return x_RD.Plus(weights.Linear("ff_out", Gelu(h_RF), weights["ff_out_bias"]).Times(parts[5]));
    }

    public override Tensor Last(Tensor x_RD, Tensor norm, BlockWeights? around, Attention attention)
    {
        var parts = around!.Linear(ModulatedLayout.Last, Told(attention), around[ModulatedLayout.LastBias]).chunk(2, 1);
        return Modulated(Normed(x_RD, norm), parts[0], parts[1]);
    }

    /// <summary>[1, C] of no noise, or [B, C]: sigma's waves through an MLP.</summary>
    public override Tensor? Condition(BlockWeights? around, Tensor frequencies_1H, Tensor? sigma_B)
    {
        var waves = Sinusoids.Of(sigma_B ?? zeros([1], ScalarType.Float32, frequencies_1H.device), frequencies_1H).to_type(around!["sigma_in"].dtype);
        var hidden = around.Linear("sigma_in", waves, around["sigma_in_bias"]).silu();
        return around.Linear("sigma_out", hidden, around["sigma_out_bias"]).silu();
    }

    private static Tensor Told(Attention attention) => attention.Condition ?? throw new InvalidOperationException("a forward of this model needs its noise level");

    private static Tensor Modulated(Tensor x_RD, Tensor shift, Tensor scale) => x_RD.Times(scale.Plus(1)).Plus(shift);

    /// <summary>Layer norm without a bias; statistics in float32.</summary>
    private Tensor Normed(Tensor x_RD, Tensor weight) =>
        nn.functional.layer_norm(x_RD.to_type(ScalarType.Float32), [Spec.Width], eps: Spec.NormEpsilon).Times(weight.to_type(ScalarType.Float32)).to_type(x_RD.dtype);

    /// <summary>By tanh, as these models were trained; the exact one differs by 5e-4.</summary>
    private static Tensor Gelu(Tensor x) => x.gelu(TorchSharp.Modules.GELU.Approximate.tanh);
}
