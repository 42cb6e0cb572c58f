using Lateral.Diffusion.Tensors;
using static TorchSharp.torch;

namespace Lateral.Diffusion.Likelihoods;

/// <summary>
/// The token distribution that the sampler draws from and the learner scores under: one definition, so that a recorded
/// log-prob and its replay are the same quantity. N rows, V vocabulary.
/// </summary>
public static class OutputDistribution
{
    /// <summary>
    /// Added to MASK's logit: its probability underflows to exactly 0, and unlike minus infinity it keeps p * log p at 0
    /// and gradients finite.
    /// </summary>
    private const float Excluded = -1e30f;

    /// <summary>[V] what has to be added to logits so that MASK is never produced.</summary>
    public static Tensor MaskBias(int vocabulary, int maskId, Device device)
    {
        var bias = new float[vocabulary];
        bias[maskId] = Excluded;
        return tensor(bias, device: device);
    }

    /// <summary>log softmax(logits / T) without MASK, natural, in float32 whatever the model computes in.</summary>
    /// <param name="logits_NV">raw logits</param>
    /// <param name="inverseTemperature_N1">1 / T of each row, or null where every T is 1</param>
    /// <returns>[N, V]</returns>
    public static Tensor LogProbabilities(Tensor logits_NV, Tensor maskBias_V, Tensor? inverseTemperature_N1 = null)
    {
        var biased_NV = logits_NV.to(ScalarType.Float32).Plus(maskBias_V);
        return nn.functional.log_softmax(inverseTemperature_N1 is null ? biased_NV : biased_NV.Times(inverseTemperature_N1), -1);
    }
}
