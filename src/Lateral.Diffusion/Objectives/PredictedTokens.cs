using Lateral.Diffusion.Likelihoods;
using Lateral.Diffusion.Models;
using Lateral.Diffusion.Tensors;
using static TorchSharp.torch;

namespace Lateral.Diffusion.Objectives;

/// <summary>What a model would reveal at once at every place that a batch asks about.</summary>
internal static class PredictedTokens
{
    /// <summary>[N] tokens from softmax(logits), by inverse CDF from one uniform each.</summary>
    public static int[] Draw(TransformerModel model, NoisyBatch batch, double[] uniforms)
    {
        if (uniforms.Length == 0) return [];
        using var scope = NewDisposeScope();
        using var quiet = no_grad();
        var (ids_BL, attend_BL) = batch.ToDevice(model.Device);
        var logits_NV = model.TokenLogits(model.HiddenRows(ids_BL, HostTensor.Of(batch.Rows_N).to(model.Device), attend_BL));
        // In float64 a uniform below 1 keeps the threshold below the total, so a token of probability 0 (MASK) is never the first to exceed it.
        var cdf_NV = logits_NV.log_softmax(-1).to(ScalarType.Float64).exp().cumsum(1);
        var total_N1 = cdf_NV.narrow(1, cdf_NV.shape[1] - 1, 1);
        var threshold_N1 = uniforms.ToDevice(model.Device).unsqueeze(1).Times(total_N1);
        return [.. cdf_NV.le(threshold_N1).sum(1).cpu().data<long>().Select(token => (int)token)];
    }
}
