using Lateral.Diffusion.Models.Kernels;
using Lateral.Diffusion.Tensors;
using TorchSharp;
using static TorchSharp.torch;

namespace Lateral.Diffusion.Models;

/// <summary>
/// A block of any family: attention with rotary positions and then a map of each position by itself, each added to the residual stream. The attention is one for all, what differs of it is in the
/// specification; what stands around it is the kind of block. Pure functions of parameters that are asked for by the names of their parts.
/// </summary>
/// <remarks>Shapes: R rows of the residual stream (B * L going in; N where only some are wanted), D width, H query heads, G key heads, K head width, A width of heads together, T positions that are seen.</remarks>
internal abstract class TransformerBlock
{
    private readonly float _attentionScale;

    protected TransformerBlock(TransformerSpec spec)
    {
        Spec = spec;
        _attentionScale = 1 / MathF.Sqrt(spec.HeadWidth);
    }

    protected TransformerSpec Spec { get; }

    public static TransformerBlock Of(TransformerSpec spec) => spec.ConditionWidth is null ? new GatedBlock(spec) : new ModulatedBlock(spec);

    /// <param name="weights">the block's parameters by the names of their parts</param>
    /// <param name="experts">null = its MLP is dense</param>
    /// <param name="rows_N">of the flattened batch, whose residual stream goes on; null = all</param>
    public abstract Tensor Run(BlockWeights weights, ExpertSpec? experts, Tensor x_RD, Attention attention, Tensor? rows_N);

    /// <summary>What the head reads.</summary>
    /// <param name="x_RD">the last block's output</param>
    /// <param name="norm">the last norm's weight</param>
    /// <param name="around">parameters around the blocks that only some kinds have; null = this kind has none</param>
    public abstract Tensor Last(Tensor x_RD, Tensor norm, BlockWeights? around, Attention attention);

    /// <summary>What all blocks of a forward are told about the noise; null = nothing.</summary>
    /// <param name="frequencies_1H">of <see cref="Sinusoids"/></param>
    /// <param name="sigma_B">the noise level of each canvas; null = none, which is what models are told that were not trained with it</param>
    public virtual Tensor? Condition(BlockWeights? around, Tensor frequencies_1H, Tensor? sigma_B) => null;

    /// <summary>Root mean square norm over the last dimension; statistics in float32.</summary>
    protected Tensor Norm(Tensor x, Tensor weight)
    {
        if (Kernel.CanRun(x) && x.dim() == 2 && x.shape[1] % Kernel.Lanes == 0) return RmsNorm.Of(x, weight, (float)Spec.NormEpsilon);
        var wide = x.to_type(ScalarType.Float32);
        var normed = wide.Times(wide.Squared().mean([-1], keepdim: true).Plus(Spec.NormEpsilon).rsqrt());
        return Spec.NormRoundedLast ? normed.Times(weight.to_type(ScalarType.Float32)).to_type(x.dtype) : normed.to_type(x.dtype).Times(weight);
    }

    protected Tensor Attend(BlockWeights weights, Tensor h_RD, Attention attention)
    {
        var (b, l, cos, sin, keyBias_BL) = attention;
        var (q_RA, k_RA, v_RA) = Projected(weights, h_RD);
        if (attention.Bias_BLL is null && attention.Window is null && IsPlain && Kernel.CanRun(q_RA) && RotaryAttention.Fits((int)l, Spec.HeadWidth))
            return RotaryAttention.Of(q_RA, k_RA, v_RA, new((int)b, (int)l, Spec.Heads, Spec.HeadWidth, _attentionScale, cos, sin, keyBias_BL) { Causal = attention.Causal });

        (q_RA, k_RA) = (Normed(weights, q_RA, "q_norm"), Normed(weights, k_RA, "k_norm"));
        var (seen, keyCos, keySin) = (l, cos, sin);
        if (attention.Window is { } window)
        {
            var (keys_BTA, values_BTA) = window.Cache.Merge(window, k_RA.view(b, l, -1), v_RA.view(b, l, -1));
            (seen, k_RA, v_RA, keyCos, keySin) = (keys_BTA.shape[1], keys_BTA, values_BTA, window.KeyCos, window.KeySin);
        }

        Tensor Split(Tensor x, long length, long heads) => x.view(b, length, heads, Spec.HeadWidth);
        Tensor q_BHLK = Rotate(Split(q_RA, l, Spec.Heads), cos, sin).transpose(1, 2), k_BGTK = Rotate(Split(k_RA, seen, Spec.KeyHeads), keyCos, keySin).transpose(1, 2), v_BGTK = Split(v_RA, seen, Spec.KeyHeads).transpose(1, 2);
        if (Spec.KeyHeads != Spec.Heads) (k_BGTK, v_BGTK) = (Shared(k_BGTK), Shared(v_BGTK));
        var bias = attention.Bias_BLL?.unsqueeze(1) ?? keyBias_BL?.view(b, 1, 1, l);
        return nn.functional.scaled_dot_product_attention(q_BHLK, k_BGTK, v_BGTK, bias, is_casual: attention.Causal).transpose(1, 2).reshape(b * l, Spec.Heads * Spec.HeadWidth);
    }

    /// <summary>Whether the fused attention computes it: it turns whole heads, and each has keys of its own.</summary>
    private bool IsPlain => Spec.KeyHeads == Spec.Heads && !Spec.HeadNorm && Spec.RotaryWidth == Spec.HeadWidth && !Spec.FusedAttention;

    private (Tensor Q, Tensor K, Tensor V) Projected(BlockWeights weights, Tensor h_RD)
    {
        if (Spec.FusedAttention)
        {
            long heads = Spec.Heads * Spec.HeadWidth, keys = Spec.KeyHeads * Spec.HeadWidth;
            var all_RA = weights.Linear(ModelLayout.Fused, h_RD);
            return (all_RA.narrow(1, 0, heads).contiguous(), all_RA.narrow(1, heads, keys).contiguous(), all_RA.narrow(1, heads + keys, keys).contiguous());
        }

        Tensor Linear(string name) => weights.Linear($"{name}_proj", h_RD, Spec.AttentionBias ? weights[$"{name}_bias"] : null);
        return (Linear("q"), Linear("k"), Linear("v"));
    }

    private Tensor Normed(BlockWeights weights, Tensor x_RA, string norm) => Spec.HeadNorm ? Norm(x_RA.view(-1, Spec.HeadWidth), weights[norm]).view(x_RA.shape) : x_RA;

    // (x1, x2) -> (x1 cos - x2 sin, x2 cos + x1 sin) for the halves of what turns; in float32 whatever the weights' type, unless the family rounds before.
    private Tensor Rotate(Tensor x_BLHK, Tensor cos, Tensor sin)
    {
        var x = Spec.RotaryRounded ? x_BLHK : x_BLHK.to_type(ScalarType.Float32);
        var turning = x.narrow(-1, 0, Spec.RotaryWidth);
        var half = Spec.RotaryWidth / 2;
        var other = cat([turning.narrow(-1, half, half).neg(), turning.narrow(-1, 0, half)], -1);
        turning = turning.Times(cos.to_type(x.dtype)).Plus(other.Times(sin.to_type(x.dtype)));
        return (Spec.RotaryWidth == Spec.HeadWidth ? turning : cat([turning, x.narrow(-1, Spec.RotaryWidth, Spec.HeadWidth - Spec.RotaryWidth)], -1)).to_type(x_BLHK.dtype);
    }

    /// <summary>[B, G, L, K] to [B, H, L, K]: every key head for its group of query heads.</summary>
    private Tensor Shared(Tensor x_BGLK)
    {
        var (b, g, l, k) = (x_BGLK.shape[0], x_BGLK.shape[1], x_BGLK.shape[2], x_BGLK.shape[3]);
        return x_BGLK.unsqueeze(2).expand(b, g, Spec.Heads / g, l, k).reshape(b, Spec.Heads, l, k);
    }
}
