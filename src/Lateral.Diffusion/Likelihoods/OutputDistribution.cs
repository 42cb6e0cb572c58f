using Lateral.Diffusion.Models;
using Lateral.Diffusion.Tensors;
using static TorchSharp.torch;

namespace Lateral.Diffusion.Likelihoods;

/// <summary>
/// The token distribution that the sampler draws from and the learner scores under: one definition, so that a recorded
/// log-prob and its replay are the same quantity. N rows, D width, V vocabulary.
/// </summary>
public static class OutputDistribution
{
    /// <summary>
    /// MASK's logit: its probability underflows to exactly 0, and unlike minus infinity it keeps p * log p at 0 and
    /// gradients finite.
    /// </summary>
    private const double Excluded = -1e30;

    /// <summary>[N, V] float32 logits of hidden rows, MASK excluded.</summary>
    public static Tensor Logits(TransformerModel model, Tensor rows_ND)
    {
        var logits_NV = model.Logits(rows_ND);
        logits_NV.narrow(1, model.Spec.MaskToken, 1).FillInPlace(Excluded);
        return logits_NV;
    }

    /// <summary>[N, V] natural log of softmax(logits / T).</summary>
    /// <param name="inverseTemperature">1 / T: a scalar tensor or [N, 1]; null where every T is 1</param>
    public static Tensor LogProbabilities(Tensor logits_NV, Tensor? inverseTemperature) =>
        nn.functional.log_softmax(inverseTemperature is null ? logits_NV : logits_NV.Times(inverseTemperature), -1);

    /// <summary>
    /// [.., 1] the first token whose cumulative probability exceeds u * total. In float64, u &lt; 1 keeps the threshold below the total, so a token of probability 0 (MASK) can never be the first to exceed
    /// it.
    /// </summary>
    /// <param name="p">[.., V]</param>
    /// <param name="u">[.., 1] uniform</param>
    public static Tensor InverseCdf(Tensor p, Tensor u)
    {
        var cdf = p.cumsum(-1);
        return cdf.le(u.Times(cdf.narrow(-1, cdf.shape[^1] - 1, 1))).sum(-1, keepdim: true);
    }

    /// <summary>[..] the values of chosen tokens: [.., V] and [..] to [..].</summary>
    internal static Tensor At(Tensor values, Tensor tokens) => values.gather(-1, tokens.unsqueeze(-1)).squeeze(-1);

    /// <summary>[..] the largest value less the second largest.</summary>
    internal static Tensor Margin(Tensor values)
    {
        var top = values.topk(2, -1).values;
        return top.narrow(-1, 0, 1).Minus(top.narrow(-1, 1, 1)).squeeze(-1);
    }

    /// <summary>[..] in nats.</summary>
    /// <param name="logits">[.., V]; MASK excluded as here or not at all</param>
    internal static Tensor Entropy(Tensor logits)
    {
        var logp = logits.log_softmax(-1);
        return logp.exp().Times(logp).sum(-1).neg();
    }
}
