using Lateral.Diffusion.Tensors;
using TorchSharp;
using static TorchSharp.torch;

namespace Lateral.Diffusion.Models;

/// <summary>What an unmasking policy sees beside the hidden states. B canvases, L length.</summary>
/// <param name="Masked_BL">bool: not yet revealed</param>
/// <param name="InBlock_BL">bool: in the block that is being denoised</param>
/// <param name="Progress_B">how far the canvas is: 0 before the first denoising step, below 1 before the last; by steps, or by revealed positions where a step reveals as many as it likes</param>
public sealed record UnmaskingState(Tensor Masked_BL, Tensor InBlock_BL, Tensor Progress_B);

/// <summary>
/// The unmasking policy module of DCoLT (Huang et al., arXiv 2505.10446; LLaDOU): scores every position by what the language model's last hidden states know of
/// it, and a step reveals positions by a Plackett-Luce draw over the scores, or by a draw for each of them. hidden -> adaptive norm -> one transformer block -> adaptive norm -> a number; the norms'
/// scale and shift follow from progress, masked or not, and in the active block or not.
/// </summary>
/// <remarks>
/// Departures: (1) the block attends to the prompt too, not to the completion only; (2) the last map has no bias, which no softmax sees, and begins at zero: a fresh
/// policy reveals in random order. Shapes: B canvases, L length, R = B * L rows, D width, E time features, 4 the states of a position.
/// </remarks>
public static class UnmaskingPolicy
{
    /// <summary>Progress is told in thousandths.</summary>
    internal const double StepsPerUnit = 1000;

    private const double NormEpsilon = 1e-4;

    /// <param name="hidden_BLD">the model's last hidden states</param>
    /// <param name="attend_BL">as the model's forward had it</param>
    /// <returns>[B * L] scores, float32; of positions that are no candidates they mean nothing</returns>
    public static Tensor Scores(TransformerModel model, Tensor hidden_BLD, UnmaskingState state, Tensor? attend_BL)
    {
        using var scope = NewDisposeScope();
        Tensor Weight(string part) => model.Parameters[UnmaskingPolicyLayout.Name(part)];

        var (b, l, d) = (hidden_BLD.shape[0], hidden_BLD.shape[1], hidden_BLD.shape[2]);
        var time_BD = nn.functional.linear(nn.functional.linear(Sinusoids.Of(state.Progress_B, model.WaveFrequencies).to_type(hidden_BLD.dtype), Weight("time_in"), Weight("time_in_bias")).silu(), Weight("time_out"), Weight("time_out_bias"));
        // A canvas has four kinds of positions, so the conditions are computed four times a canvas and not once a position.
        var kinds_4D = cat([Weight("block_embedding").Plus(Weight("mask_embedding").narrow(0, 0, 1)), Weight("block_embedding").Plus(Weight("mask_embedding").narrow(0, 1, 1))], 0);
        var condition_B4D = time_BD.unsqueeze(1).Plus(kinds_4D.unsqueeze(0)).silu().view(b * 4, d);
        var one_B = ones([b], ScalarType.Int64, model.Device);
        var first_B1 = one_B.cumsum(0).Minus(one_B).Times(4L).unsqueeze(1);
        var kind_R = first_B1.Plus(state.Masked_BL.to(ScalarType.Int64).Times(2L)).Plus(state.InBlock_BL.to(ScalarType.Int64)).view(-1);

        Tensor Normed(Tensor x_RD, string norm)
        {
            var modulation_R2D = nn.functional.linear(condition_B4D, Weight(norm), Weight($"{norm}_bias")).index_select(0, kind_R);
            return nn.functional.layer_norm(x_RD, [d], eps: NormEpsilon).Times(modulation_R2D.narrow(1, 0, d).Plus(1)).Plus(modulation_R2D.narrow(1, d, d));
        }

        var x_RD = Normed(hidden_BLD.reshape(b * l, d), "norm_in");
        x_RD = model.UnmaskingBlock(x_RD, model.Full(state.Masked_BL, attend_BL));
        return nn.functional.linear(Normed(x_RD, "norm_out"), Weight("score")).to_type(ScalarType.Float32).view(-1).MoveToOuterDisposeScope();
    }
}

/// <summary>The parameters of an unmasking policy; a model's own names come before them.</summary>
internal static class UnmaskingPolicyLayout
{
    private const string Prefix = "unmasking_policy.";

    public static string Name(string part) => $"{Prefix}{part}.weight";

    public static bool Owns(string name) => name.StartsWith(Prefix, StringComparison.Ordinal);

    public static IEnumerable<ParameterLayout> Of(TransformerSpec spec)
    {
        long d = spec.Width;
        var (fromWidth, xavier) = (1 / Math.Sqrt(d), Math.Sqrt(2.0 / (3 * d)));
        return
        [
            new(Name("time_in"), [d, Sinusoids.Features], 1 / Math.Sqrt(Sinusoids.Features)), new(Name("time_in_bias"), [d], 0), new(Name("time_out"), [d, d], fromWidth), new(Name("time_out_bias"), [d], 0),
            new(Name("mask_embedding"), [2, d], 0.5), new(Name("block_embedding"), [2, d], 0.5),
            new(Name("norm_in"), [2 * d, d], xavier), new(Name("norm_in_bias"), [2 * d], 0),
            .. ModelLayout.BlockOf(spec, null, Name),
            new(Name("norm_out"), [2 * d, d], xavier), new(Name("norm_out_bias"), [2 * d], 0),
            new(Name("score"), [1, d], 0),
        ];
    }
}
