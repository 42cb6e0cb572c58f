using Lateral.Diffusion.Tensors;
using static TorchSharp.torch;

namespace Lateral.Diffusion.Likelihoods;

/// <summary>
/// The factor of LLaDA's low-confidence remasking at a temperature above 0: every candidate draws a token, and the K whose tokens are surest (by the
/// untempered probability p) are revealed. Summed over the draws of those that stay masked, P(S, v_S) = product over S of q_i(v_i) times product over the
/// others of F_j(c), with c = min over S of p_i(v_i) and F_j(c) = sum over tokens u with p_j(u) &lt; c of q_j(u), q being what tokens are drawn from. Token log-probs
/// alone are no likelihood: over all outcomes they do not sum to 1.
/// </summary>
/// <remarks>
/// c and the sets below it are constant almost everywhere, so the gradient flows through q only. Under other weights F can be 0: it is limited from below, and the
/// ratio is then as good as 0.
/// </remarks>
public static class LowConfidence
{
    /// <summary>The least that F counts.</summary>
    public const double Floor = 1e-20;

    /// <param name="q_RV">what tokens are drawn from</param>
    /// <param name="p_RV">untempered probabilities, without a gradient</param>
    /// <returns>[D] sum over the candidates that were not drawn of log F</returns>
    public static Tensor LogFactors(Tensor q_RV, Tensor p_RV, DeviceDraws draws)
    {
        var shape = draws.Present_DC.shape;
        var drawn_DC = draws.Drawn_DC.Above(0);
        var confidence_DC = p_RV.flatten().index_select(0, draws.Entries_DC).view(shape);
        // A probability is at most 1, so 2 is never the least.
        var least_D1 = where(drawn_DC, confidence_DC, zeros_like(confidence_DC).Plus(2)).amin([1], keepdim: true);
        var below_DCV = p_RV.index_select(0, draws.Rows_DC).view(shape[0], shape[1], -1).lt(least_D1.unsqueeze(2));
        var mass_DC = q_RV.index_select(0, draws.Rows_DC).view(shape[0], shape[1], -1).Times(below_DCV.to(q_RV.dtype)).sum(2);
        var masked_DC = draws.Present_DC.logical_and(drawn_DC.logical_not());
        return where(masked_DC, mass_DC, ones_like(mass_DC)).Limited(Floor, 2).log().sum(1);
    }
}
