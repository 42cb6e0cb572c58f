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
    public static Tensor Logits(LladaModel model, Tensor rows_ND)
    {
        var logits_NV = model.Logits(rows_ND);
        logits_NV.narrow(1, model.Spec.MaskToken, 1).FillInPlace(Excluded);
        return logits_NV;
    }

    /// <summary>[N, V] natural log of softmax(logits / T).</summary>
    /// <param name="inverseTemperature">1 / T: a scalar tensor or [N, 1]; null where every T is 1</param>
    public static Tensor LogProbabilities(Tensor logits_NV, Tensor? inverseTemperature) =>
        nn.functional.log_softmax(inverseTemperature is null ? logits_NV : logits_NV.Times(inverseTemperature), -1);
}
