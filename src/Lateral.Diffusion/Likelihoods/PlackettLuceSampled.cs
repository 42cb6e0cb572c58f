using Lateral.Diffusion.Tensors;
using static TorchSharp.torch;

namespace Lateral.Diffusion.Likelihoods;

/// <summary>
/// The factor of an order that is drawn by sampled tokens (MAPG's two-stage process, arXiv 2607.15200): every candidate draws a token v_i from q_i, and K of them are drawn by
/// <see cref="PlackettLuce"/> with scores log p_i(v_i) / T, p being untempered. P(step) = product over all candidates of q_i(v_i) times P(order | v), and what this is beyond the revealed
/// tokens is log P(order | v) + sum over the others of log q_j(v_j).
/// </summary>
/// <remarks>
/// Unlike the closed form of <see cref="LowConfidence"/> it needs the draws that stayed masked, is smooth in the weights, and so is exact under other ones, too. The gradient flows through
/// the tokens and through the order.
/// </remarks>
public static class PlackettLuceSampled
{
    /// <param name="logq_RV">log of what tokens are drawn from</param>
    /// <param name="logp_RV">log of the untempered probabilities</param>
    /// <returns>[D] log P of each draw beyond the tokens that it reveals</returns>
    public static Tensor LogProbs(Tensor logq_RV, Tensor logp_RV, DeviceDraws draws)
    {
        var shape = draws.Present_DC.shape;
        Tensor Drawn(Tensor logs_RV) => logs_RV.flatten().index_select(0, draws.Entries_DC).view(shape);
        var masked_DC = draws.Present_DC.logical_and(draws.Drawn_DC.Above(0).logical_not());
        var order_D = PlackettLuce.LogProbs(Drawn(logp_RV).DividedBy(PlackettLuce.Temperature), draws.Present_DC, draws.Drawn_DC);
        return order_D.Plus(Drawn(logq_RV).Filled(masked_DC.logical_not(), 0).sum(1));
    }
}
