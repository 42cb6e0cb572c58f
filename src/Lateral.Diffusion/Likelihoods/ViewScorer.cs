using Lateral.Core.Rollouts;
using Lateral.Diffusion.Models;
using Lateral.Diffusion.Tensors;
using static TorchSharp.torch;

namespace Lateral.Diffusion.Likelihoods;

/// <summary>Answers the questions of a micro-batch under the current weights: one forward, the head on scored rows only.</summary>
public static class ViewScorer
{
    /// <param name="temperature">T of the behaviour policy: pi and mu have to be tempered alike</param>
    /// <returns>[N + D] log pi of the tokens and then of the draws, natural, float32; differentiable in the weights</returns>
    public static Tensor Score(LladaModel model, DeviceMicroBatch batch, double temperature)
    {
        using var scope = NewDisposeScope();
        var rows_UD = model.HiddenRows(batch.Ids_BL, batch.Rows_R, batch.Attended_BL);
        var inverse = temperature == 1 ? null : new[] { (float)(1 / temperature) }.ToDevice(model.Device);
        var logits_UV = OutputDistribution.Logits(model, rows_UD);
        var logp_UV = OutputDistribution.LogProbabilities(logits_UV, inverse);
        var tokens_N = logp_UV.flatten().index_select(0, batch.Entries_N);
        if (batch.Draws is not { } draws) return tokens_N.MoveToOuterDisposeScope();

        // The sampler ranks by the untempered distribution, whatever it draws tokens at.
        var untempered_UV = inverse is null ? logp_UV : OutputDistribution.LogProbabilities(logits_UV, null);
        var draws_D = draws.Law == SelectionLaw.LowConfidence
            ? LowConfidence.LogFactors(logp_UV.exp(), untempered_UV.detach().exp(), draws)
            : PlackettLuce.LogProbs(untempered_UV.amax([1]).DividedBy(PlackettLuce.Temperature).index_select(0, draws.Rows_DC).view(draws.Present_DC.shape), draws.Present_DC, draws.Drawn_DC);
        return cat([tokens_N, draws_D], 0).MoveToOuterDisposeScope();
    }
}
