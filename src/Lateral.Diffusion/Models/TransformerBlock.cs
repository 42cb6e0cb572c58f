using Lateral.Diffusion.Models.Kernels;
using Lateral.Diffusion.Tensors;
using TorchSharp;
using static TorchSharp.torch;

namespace Lateral.Diffusion.Models;

/// <summary>
/// The block that all families share: norm, rotary attention, norm, gated MLP or experts, each added to the residual stream. What differs is in the specification. Pure functions of parameters that
/// are asked for by the names of their parts.
/// </summary>
/// <remarks>Shapes: R rows of the residual stream (B * L going in; N where only some are wanted), D width, H query heads, G key heads, K head width, A width of heads together, T positions that are seen, F MLP width.</remarks>
internal sealed class TransformerBlock(TransformerSpec spec)
{
    private readonly float _attentionScale = 1 / MathF.Sqrt(spec.HeadWidth);

    /// <param name="weights">the block's parameters by the names of their parts</param>
    /// <param name="experts">null = its MLP is dense</param>
    /// <param name="rows_N">of the flattened batch, whose residual stream goes on; null = all</param>
    public Tensor Run(BlockWeights weights, ExpertSpec? experts, Tensor x_RD, Attention attention, Tensor? rows_N)
    {
        var attended_RA = Attend(weights, Norm(x_RD, weights["attn_norm"]), attention);
        if (rows_N is not null) (x_RD, attended_RA) = (x_RD.index_select(0, rows_N), attended_RA.index_select(0, rows_N));
        x_RD = x_RD.Plus(weights.Linear("attn_out", attended_RA));
        var h_RD = Norm(x_RD, weights["ff_norm"]);
        return x_RD.Plus(experts is null ? Gated(weights, "", h_RD) : ExpertMixture.Of(experts, weights, h_RD));
    }

    /// <summary>Root mean square norm over the last dimension; statistics in float32.</summary>
    public Tensor Norm(Tensor x, Tensor weight)
    {
        if (Kernel.CanRun(x) && x.dim() == 2 && x.shape[1] % Kernel.Lanes == 0) return RmsNorm.Of(x, weight, (float)spec.NormEpsilon);
        var wide = x.to_type(ScalarType.Float32);
        var normed = wide.Times(wide.Squared().mean([-1], keepdim: true).Plus(spec.NormEpsilon).rsqrt());
        return spec.NormRoundedLast ? normed.Times(weight.to_type(ScalarType.Float32)).to_type(x.dtype) : normed.to_type(x.dtype).Times(weight);
    }

    /// <summary>A gated MLP: out(silu(gate) * up).</summary>
    /// <param name="prefix">of its parts' names</param>
    public static Tensor Gated(BlockWeights weights, string prefix, Tensor x_RD)
    {
        Tensor gate_RF = weights.Linear($"{prefix}ff_proj", x_RD), up_RF = weights.Linear($"{prefix}up_proj", x_RD);
        var gated_RF = Kernel.CanRun(gate_RF) && gate_RF.numel() % Kernel.Lanes == 0 ? SwiGlu.Of(gate_RF, up_RF) : gate_RF.silu().Times(up_RF);
        return weights.Linear($"{prefix}ff_out", gated_RF);
    }

    private Tensor Attend(BlockWeights weights, Tensor h_RD, Attention attention)
    {
        var (b, l, cos, sin, keyBias_BL) = attention;
        var (q_RA, k_RA, v_RA) = Projected(weights, h_RD);
        if (attention.Bias_BLL is null && attention.Window is null && IsPlain && Kernel.CanRun(q_RA) && RotaryAttention.Fits((int)l, spec.HeadWidth))
            return RotaryAttention.Of(q_RA, k_RA, v_RA, new((int)b, (int)l, spec.Heads, spec.HeadWidth, _attentionScale, cos, sin, keyBias_BL) { Causal = attention.Causal });

        (q_RA, k_RA) = (Normed(weights, q_RA, "q_norm"), Normed(weights, k_RA, "k_norm"));
        var (seen, keyCos, keySin) = (l, cos, sin);
        if (attention.Window is { } window)
        {
            var (keys_BTA, values_BTA) = window.Cache.Merge(window, k_RA.view(b, l, -1), v_RA.view(b, l, -1));
            (seen, k_RA, v_RA, keyCos, keySin) = (keys_BTA.shape[1], keys_BTA, values_BTA, window.KeyCos, window.KeySin);
        }

        Tensor Split(Tensor x, long length, long heads) => x.view(b, length, heads, spec.HeadWidth);
        Tensor q_BHLK = Rotate(Split(q_RA, l, spec.Heads), cos, sin).transpose(1, 2), k_BGTK = Rotate(Split(k_RA, seen, spec.KeyHeads), keyCos, keySin).transpose(1, 2), v_BGTK = Split(v_RA, seen, spec.KeyHeads).transpose(1, 2);
        if (spec.KeyHeads != spec.Heads) (k_BGTK, v_BGTK) = (Shared(k_BGTK), Shared(v_BGTK));
        var bias = attention.Bias_BLL?.unsqueeze(1) ?? keyBias_BL?.view(b, 1, 1, l);
        return nn.functional.scaled_dot_product_attention(q_BHLK, k_BGTK, v_BGTK, bias, is_casual: attention.Causal).transpose(1, 2).reshape(b * l, spec.Heads * spec.HeadWidth);
    }

    /// <summary>Whether the fused attention computes it: it turns whole heads, and each has keys of its own.</summary>
    private bool IsPlain => spec.KeyHeads == spec.Heads && !spec.HeadNorm && spec.RotaryWidth == spec.HeadWidth && !spec.FusedAttention;

    private (Tensor Q, Tensor K, Tensor V) Projected(BlockWeights weights, Tensor h_RD)
    {
        if (spec.FusedAttention)
        {
            long heads = spec.Heads * spec.HeadWidth, keys = spec.KeyHeads * spec.HeadWidth;
            var all_RA = weights.Linear(ModelLayout.Fused, h_RD);
            return (all_RA.narrow(1, 0, heads).contiguous(), all_RA.narrow(1, heads, keys).contiguous(), all_RA.narrow(1, heads + keys, keys).contiguous());
        }

        Tensor Linear(string name) => weights.Linear($"{name}_proj", h_RD, spec.AttentionBias ? weights[$"{name}_bias"] : null);
        return (Linear("q"), Linear("k"), Linear("v"));
    }

    private Tensor Normed(BlockWeights weights, Tensor x_RA, string norm) => spec.HeadNorm ? Norm(x_RA.view(-1, spec.HeadWidth), weights[norm]).view(x_RA.shape) : x_RA;

    // (x1, x2) -> (x1 cos - x2 sin, x2 cos + x1 sin) for the halves of what turns; in float32 whatever the weights' type, unless the family rounds before.
    private Tensor Rotate(Tensor x_BLHK, Tensor cos, Tensor sin)
    {
        var x = spec.RotaryRounded ? x_BLHK : x_BLHK.to_type(ScalarType.Float32);
        var turning = x.narrow(-1, 0, spec.RotaryWidth);
        var half = spec.RotaryWidth / 2;
        var other = cat([turning.narrow(-1, half, half).neg(), turning.narrow(-1, 0, half)], -1);
        turning = turning.Times(cos.to_type(x.dtype)).Plus(other.Times(sin.to_type(x.dtype)));
        return (spec.RotaryWidth == spec.HeadWidth ? turning : cat([turning, x.narrow(-1, spec.RotaryWidth, spec.HeadWidth - spec.RotaryWidth)], -1)).to_type(x_BLHK.dtype);
    }

    /// <summary>[B, G, L, K] to [B, H, L, K]: every key head for its group of query heads.</summary>
    private Tensor Shared(Tensor x_BGLK)
    {
        var (b, g, l, k) = (x_BGLK.shape[0], x_BGLK.shape[1], x_BGLK.shape[2], x_BGLK.shape[3]);
        return x_BGLK.unsqueeze(2).expand(b, g, spec.Heads / g, l, k).reshape(b, spec.Heads, l, k);
    }
}
