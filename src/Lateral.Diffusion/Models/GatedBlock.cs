using Lateral.Diffusion.Models.Kernels;
using Lateral.Diffusion.Tensors;
using static TorchSharp.torch;

namespace Lateral.Diffusion.Models;

/// <summary>The block that language models share: root mean square norm, attention, norm, gated MLP or experts, each added to the residual stream.</summary>
/// <remarks>Shapes: R rows of the residual stream (B * L going in; N where only some are wanted), D width, A width of heads together, F MLP width.</remarks>
internal sealed class GatedBlock(TransformerSpec spec) : TransformerBlock(spec)
{
    public override Tensor Run(BlockWeights weights, ExpertSpec? experts, Tensor x_RD, Attention attention, Tensor? rows_N)
    {
        var attended_RA = Attend(weights, Norm(x_RD, weights["attn_norm"]), attention);
        if (rows_N is not null) (x_RD, attended_RA) = (x_RD.index_select(0, rows_N), attended_RA.index_select(0, rows_N));
        x_RD = x_RD.Plus(weights.Linear("attn_out", attended_RA));
        var h_RD = Norm(x_RD, weights["ff_norm"]);
        return x_RD.Plus(experts is null ? Gated(weights, "", h_RD) : ExpertMixture.Of(experts, weights, h_RD));
    }

    public override Tensor Last(Tensor x_RD, Tensor norm, BlockWeights? around, Attention attention) => Norm(x_RD, norm);

    /// <summary>A gated MLP: out(silu(gate) * up).</summary>
    /// <param name="prefix">of its parts' names</param>
    public static Tensor Gated(BlockWeights weights, string prefix, Tensor x_RD)
    {
        Tensor gate_RF = weights.Linear($"{prefix}ff_proj", x_RD), up_RF = weights.Linear($"{prefix}up_proj", x_RD);
        var gated_RF = Kernel.CanRun(gate_RF) && gate_RF.numel() % Kernel.Lanes == 0 ? SwiGlu.Of(gate_RF, up_RF) : gate_RF.silu().Times(up_RF);
        return weights.Linear($"{prefix}ff_out", gated_RF);
    }
}
