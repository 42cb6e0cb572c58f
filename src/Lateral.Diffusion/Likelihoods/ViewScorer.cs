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
    public static Tensor Score(TransformerModel model, DeviceMicroBatch batch, double temperature)
    {
        using var scope = NewDisposeScope();
        // An unmasking policy needs the hidden states of all positions, the head those of scored rows only.
        var hidden_BLD = batch.Unmasking is null ? null : model.Hidden(batch.Ids_BL, batch.Attended_BL);
        var rows_UD = hidden_BLD?.view(-1, model.Spec.Width).index_select(0, batch.Rows_R)
            ?? (batch.Layout is { } layout ? model.HiddenRows(batch.Ids_BL, batch.Rows_R, layout) : model.HiddenRows(batch.Ids_BL, batch.Rows_R, batch.Attended_BL));
        var inverse = temperature == 1 ? null : new[] { (float)(1 / temperature) }.ToDevice(model.Device);
        var logits_UV = OutputDistribution.Logits(model, rows_UD);
        var logp_UV = OutputDistribution.LogProbabilities(logits_UV, inverse);
        var tokens_N = logp_UV.flatten().index_select(0, batch.Entries_N);
        if (batch.Draws is not { } draws) return tokens_N.MoveToOuterDisposeScope();

        var draws_D = draws.Law switch
        {
            SelectionLaw.LowConfidence => LowConfidence.LogFactors(logp_UV.exp(), Untempered().detach().exp(), draws),
            SelectionLaw.PlackettLuceSampled => PlackettLuceSampled.LogProbs(logp_UV, Untempered(), draws),
            SelectionLaw.UnmaskingPolicy => Drawn(Scores_R()),
            SelectionLaw.Bernoulli => Bernoulli.LogProbs(OfCandidates(Scores_R()).Plus(draws.Offset), draws.Present_DC, draws.Drawn_DC),
            _ => Drawn(Untempered().amax([1]).DividedBy(PlackettLuce.Temperature)),
        };
        return cat([tokens_N, draws_D], 0).MoveToOuterDisposeScope();

        // The sampler ranks by the untempered distribution, whatever it draws tokens at.
        Tensor Untempered() => inverse is null ? logp_UV : OutputDistribution.LogProbabilities(logits_UV, null);

        Tensor Scores_R() => UnmaskingPolicy.Scores(model, hidden_BLD!, batch.Unmasking!, batch.Attended_BL).index_select(0, batch.Rows_R);

        Tensor OfCandidates(Tensor score_R) => score_R.index_select(0, draws.Rows_DC).view(draws.Present_DC.shape);

        Tensor Drawn(Tensor score_R) => PlackettLuce.LogProbs(OfCandidates(score_R), draws.Present_DC, draws.Drawn_DC);
    }
}
