using Lateral.Diffusion.Models.Kernels;
using Lateral.Diffusion.Tensors;
using TorchSharp;
using static TorchSharp.torch;

namespace Lateral.Diffusion.Models;

/// <summary>
/// The LLaDA transformer (Nie et al. 2025; an OLMo/LLaMA block without a causal mask): RMSNorm, rotary positions, full attention, SwiGLU,
/// no biases, untied head. Plain parameters by their released names and pure functions of them; results belong to the current dispose scope.
/// </summary>
/// <remarks>Shapes: B batch, L length, D width, H heads, K head width, F MLP width, V vocabulary, N chosen rows of the flattened [B*L].</remarks>
public sealed class LladaModel : IDisposable
{
    private readonly Dictionary<string, Tensor> parameters;
    private readonly RotaryTable rotary;
    private readonly float attentionScale;

    internal LladaModel(TransformerSpec spec, Dictionary<string, Tensor> parameters, Device device)
    {
        (Spec, this.parameters, Device) = (spec, parameters, device);
        rotary = new RotaryTable(spec, device);
        attentionScale = 1 / MathF.Sqrt(spec.HeadWidth);
    }

    public TransformerSpec Spec { get; }

    public Device Device { get; }

    /// <summary>Every parameter by its released name. Updated in place, never replaced.</summary>
    public IReadOnlyDictionary<string, Tensor> Parameters => parameters;

    /// <summary>The last hidden states after the final norm, [B, L, D].</summary>
    /// <param name="ids_BL">Token ids, int64, on the model's device.</param>
    /// <param name="attend_BL">True (or 1) where a token is real and may be attended to; null when every token is: nothing is then masked.</param>
    public Tensor Hidden(Tensor ids_BL, Tensor? attend_BL = null) => Run(ids_BL, attend_BL, null).view(ids_BL.shape[0], ids_BL.shape[1], Spec.Width);

    /// <summary>
    /// The last hidden states of chosen rows only, [N, D]: the last block's MLP and output projection run for no other row.
    /// </summary>
    /// <param name="rows_N">Indices b * L + i into the flattened batch, int64.</param>
    /// <inheritdoc cref="Hidden"/>
    public Tensor HiddenRows(Tensor ids_BL, Tensor rows_N, Tensor? attend_BL = null) => Run(ids_BL, attend_BL, rows_N);

    /// <summary>Scores of every token, [N, V], for hidden rows [N, D]; float32, because softmax and log-probabilities are.</summary>
    public Tensor Logits(Tensor rows_ND) => nn.functional.linear(rows_ND, parameters[LladaLayout.Head]).to_type(ScalarType.Float32);

    /// <summary>As <see cref="Logits"/> with minus infinity for the mask token: a revealed token is never the mask.</summary>
    public Tensor TokenLogits(Tensor rows_ND)
    {
        var logits_NV = Logits(rows_ND);
        logits_NV.narrow(1, Spec.MaskToken, 1).FillInPlace(double.NegativeInfinity);
        return logits_NV;
    }

    /// <summary>Hidden states as the reference numbers them: embeddings, each block's output, the last after the final norm.</summary>
    internal IEnumerable<Tensor> HiddenStates(Tensor ids_BL)
    {
        var (b, l) = (ids_BL.shape[0], ids_BL.shape[1]);
        var x_RD = Embed(ids_BL);
        yield return x_RD.view(b, l, -1);
        for (var layer = 0; layer < Spec.Layers; layer++)
        {
            x_RD = Block(layer, x_RD, b, l, null, null);
            yield return (layer == Spec.Layers - 1 ? Norm(x_RD, parameters[LladaLayout.FinalNorm]) : x_RD).view(b, l, -1);
        }
    }

    public void Dispose()
    {
        rotary.Dispose();
        foreach (var parameter in parameters.Values) parameter.Dispose();
    }

    private Tensor Run(Tensor ids_BL, Tensor? attend_BL, Tensor? rows_N)
    {
        using var scope = NewDisposeScope();
        var (b, l) = (ids_BL.shape[0], ids_BL.shape[1]);
        var bias_BL = attend_BL is null ? null : KeyBias(attend_BL);
        var x_RD = Embed(ids_BL);
        for (var layer = 0; layer < Spec.Layers; layer++)
        {
            // A scope for each block: what backward does not keep is free again before the next block needs memory.
            using var block = NewDisposeScope();
            using var before = x_RD;
            x_RD = Block(layer, before, b, l, bias_BL, layer == Spec.Layers - 1 ? rows_N : null).MoveToOuterDisposeScope();
        }

        return Norm(x_RD, parameters[LladaLayout.FinalNorm]).MoveToOuterDisposeScope();
    }

    private Tensor Embed(Tensor ids_BL) => parameters[LladaLayout.Embedding].index_select(0, ids_BL.view(-1));

    // Rows of the residual stream: R = B * L going in; N coming out of the last block when only some are wanted.
    private Tensor Block(int layer, Tensor x_RD, long b, long l, Tensor? bias_BL, Tensor? rows_N)
    {
        Tensor Weight(string part) => parameters[LladaLayout.Block(layer, part)];

        var h_RD = Norm(x_RD, Weight("attn_norm"));
        var attended_RD = Attend(
            nn.functional.linear(h_RD, Weight("q_proj")), nn.functional.linear(h_RD, Weight("k_proj")), nn.functional.linear(h_RD, Weight("v_proj")), b, l, bias_BL);
        if (rows_N is not null) (x_RD, attended_RD) = (x_RD.index_select(0, rows_N), attended_RD.index_select(0, rows_N));
        x_RD = x_RD.Plus(nn.functional.linear(attended_RD, Weight("attn_out")));

        h_RD = Norm(x_RD, Weight("ff_norm"));
        var gated_RF = Gate(nn.functional.linear(h_RD, Weight("ff_proj")), nn.functional.linear(h_RD, Weight("up_proj")));
        return x_RD.Plus(nn.functional.linear(gated_RF, Weight("ff_out")));
    }

    private Tensor Attend(Tensor q_RD, Tensor k_RD, Tensor v_RD, long b, long l, Tensor? bias_BL)
    {
        var (cos_L1K, sin_L1K) = rotary.For(l);
        if (Kernel.CanRun(q_RD) && RotaryAttention.Fits((int)l, Spec.HeadWidth))
            return RotaryAttention.Of(q_RD, k_RD, v_RD, new((int)b, (int)l, Spec.Heads, Spec.HeadWidth, attentionScale, cos_L1K, sin_L1K, bias_BL));

        Tensor Split(Tensor x_RD) => x_RD.view(b, l, Spec.Heads, Spec.HeadWidth);
        Tensor q_BHLK = Rotate(Split(q_RD), cos_L1K, sin_L1K).transpose(1, 2), k_BHLK = Rotate(Split(k_RD), cos_L1K, sin_L1K).transpose(1, 2), v_BHLK = Split(v_RD).transpose(1, 2);
        return nn.functional.scaled_dot_product_attention(q_BHLK, k_BHLK, v_BHLK, bias_BL?.view(b, 1, 1, l)).transpose(1, 2).reshape(b * l, Spec.Width);
    }

    private static Tensor Gate(Tensor gate_RF, Tensor up_RF) =>
        Kernel.CanRun(gate_RF) && gate_RF.numel() % Kernel.Lanes == 0 ? SwiGlu.Of(gate_RF, up_RF) : gate_RF.silu().Times(up_RF);

    // Queries and keys turn in float32 whatever the weights' type, then return to it.
    private Tensor Rotate(Tensor x_BLHK, Tensor cos_L1K, Tensor sin_L1K)
    {
        var x = x_BLHK.to_type(ScalarType.Float32);
        var half = Spec.HeadWidth / 2;
        var turned = cat([x.narrow(-1, half, half).neg(), x.narrow(-1, 0, half)], -1);
        return x.Times(cos_L1K).Plus(turned.Times(sin_L1K)).to_type(x_BLHK.dtype);
    }

    // Statistics in float32, rounded to the stream's type before the weight, as the released code does.
    private Tensor Norm(Tensor x, Tensor weight)
    {
        if (Kernel.CanRun(x) && Spec.Width % Kernel.Lanes == 0) return RmsNorm.Of(x, weight, (float)Spec.NormEpsilon);
        var wide = x.to_type(ScalarType.Float32);
        var inverse = wide.Squared().mean([-1], keepdim: true).Plus(Spec.NormEpsilon).rsqrt();
        return wide.Times(inverse).to_type(x.dtype).Times(weight);
    }

    // Added to the scores of keys; finite, so that a row without any real key gives numbers and not NaN.
    private Tensor KeyBias(Tensor attend_BL)
    {
        var lowest = parameters[LladaLayout.Embedding].dtype switch { ScalarType.Float16 => -65504, ScalarType.BFloat16 => -3.38953139e38, _ => float.MinValue };
        return attend_BL.to_type(ScalarType.Float32).Minus(1).neg().Times(lowest).to_type(parameters[LladaLayout.Embedding].dtype);
    }
}
