using Lateral.Diffusion.Models;
using static TorchSharp.torch;

namespace Lateral.Diffusion.Likelihoods;

/// <summary>Answers the questions of a micro-batch under the current weights: one forward, the head on scored rows only.</summary>
public static class ViewScorer
{
    /// <param name="temperature">T of the behaviour policy: pi and mu have to be tempered alike</param>
    /// <returns>[N] log pi, natural, float32; differentiable in the weights</returns>
    public static Tensor Score(LladaModel model, DeviceMicroBatch batch, double temperature)
    {
        using var scope = NewDisposeScope();
        var rows_UD = model.HiddenRows(batch.Ids_BL, batch.Rows_R, batch.Attended_BL);
        var inverse = temperature == 1 ? null : new[] { (float)(1 / temperature) }.ToDevice(model.Device);
        var logp_UV = OutputDistribution.LogProbabilities(OutputDistribution.Logits(model, rows_UD), inverse);
        return logp_UV.flatten().index_select(0, batch.Entries_N).MoveToOuterDisposeScope();
    }
}
