using Lateral.Diffusion.Likelihoods;
using Lateral.Diffusion.Models;
using Lateral.Diffusion.Tensors;
using static TorchSharp.torch;

namespace Lateral.Diffusion.Sampling;

/// <summary>What the device sends back for each of the N draws, in one transfer.</summary>
/// <param name="Packed">[N * 4]: token, log-prob, certainty, entropy in nats of each draw</param>
internal readonly record struct StepOutputs(double[] Packed)
{
    /// <summary>
    /// Of some draws the log of the mass of those tokens whose untempered probability is below a threshold: asks the device once more, within the step.
    /// </summary>
    public Func<int[], double[], double[]>? LogMassBelow { get; init; }

    public int Token(int draw) => (int)Packed[4 * draw];

    /// <summary>Natural log of the tempered probability of the sampled token.</summary>
    public float LogProb(int draw) => (float)Packed[4 * draw + 1];

    /// <summary>What the canvas's reveal rule asks.</summary>
    public double Certainty(int draw) => Packed[4 * draw + 2];

    /// <summary>Entropy of the tempered distribution.</summary>
    public float Entropy(int draw) => (float)Packed[4 * draw + 3];
}

/// <summary>
/// The device's part of a denoising step: forward, and for every candidate a token, its log-prob and the statistics
/// that selection needs. B canvases, L length, U rows, D width, N draws, V vocabulary.
/// </summary>
internal static class DenoisingKernel
{
    /// <summary>Logits at once, as elements: a large vocabulary is scored in pieces so that memory stays bounded.</summary>
    private const int MaxLogits = 1 << 25;

    /// <remarks>Runs on the device thread inside its scope.</remarks>
    public static StepOutputs Run(TransformerModel model, StepInputs inputs)
    {
        var packed = inputs.Packed.ToDevice(model.Device);
        var ids_BL = packed.narrow(0, 0, inputs.RowsAt).to(ScalarType.Int64).view(inputs.Canvases, inputs.Length);
        var attended_BL = inputs.Padded
            ? packed.narrow(0, inputs.AttendedAt, inputs.RowsAt).to(ScalarType.Bool).view(inputs.Canvases, inputs.Length)
            : null;
        var rows_U = packed.narrow(0, inputs.RowsAt, inputs.Rows).to(ScalarType.Int64);
        var (hidden_UD, scores_U) = Hidden(model, inputs, packed, ids_BL, rows_U, attended_BL);
        var rowOf_N = packed.narrow(0, inputs.RowOfDrawAt, inputs.Draws).to(ScalarType.Int64);

        var piece = Math.Max(1, MaxLogits / model.Spec.Vocabulary);
        var pieces = new List<Tensor>();
        for (var at = 0; at < inputs.Draws; at += piece)
        {
            var count = Math.Min(piece, inputs.Draws - at);
            var rowOf_M = rowOf_N.narrow(0, at, count);
            pieces.Add(Draw(model, inputs, packed, hidden_UD.index_select(0, rowOf_M), scores_U?.index_select(0, rowOf_M), at, count));
        }

        var outputs_N4 = pieces.Count == 1 ? pieces[0] : cat(pieces, 0);
        return new(outputs_N4.cpu().data<double>().ToArray())
        {
            LogMassBelow = (draws, thresholds) => [.. draws.Zip(thresholds).Chunk(piece).SelectMany(some => LogMassBelow(model, inputs, packed, hidden_UD, rowOf_N, some))],
        };
    }

    /// <summary>The candidates' hidden states, and their scores by the unmasking policy where some canvas is revealed by it: that one needs all positions.</summary>
    private static (Tensor Hidden_UD, Tensor? Scores_U) Hidden(TransformerModel model, StepInputs inputs, Tensor packed, Tensor ids_BL, Tensor rows_U, Tensor? attended_BL)
    {
        if (!inputs.Unmasking) return (model.HiddenRows(ids_BL, rows_U, attended_BL), null);
        var hidden_BLD = model.Hidden(ids_BL, attended_BL);
        var inBlock_BL = packed.narrow(0, inputs.InBlockAt, inputs.RowsAt).to(ScalarType.Bool).view(inputs.Canvases, inputs.Length);
        var state = new UnmaskingState(model.Masked(ids_BL), inBlock_BL, packed.narrow(0, inputs.ProgressAt, inputs.Canvases));
        return (hidden_BLD.view(-1, model.Spec.Width).index_select(0, rows_U), UnmaskingPolicy.Scores(model, hidden_BLD, state, attended_BL).index_select(0, rows_U));
    }

    private static double[] LogMassBelow(TransformerModel model, StepInputs inputs, Tensor packed, Tensor hidden_UD, Tensor rowOf_N, (int Draw, double Threshold)[] asked)
    {
        using var scope = NewDisposeScope();
        var draws_M = Array.ConvertAll(asked, one => (double)one.Draw).ToDevice(model.Device).to(ScalarType.Int64);
        var threshold_M1 = Array.ConvertAll(asked, one => one.Threshold).ToDevice(model.Device).unsqueeze(1);
        var logits_MV = OutputDistribution.Logits(model, hidden_UD.index_select(0, rowOf_N.index_select(0, draws_M)));
        var inverse_M1 = inputs.Tempered ? packed.narrow(0, inputs.InverseTemperaturesAt, inputs.Draws).index_select(0, draws_M).unsqueeze(1).to(ScalarType.Float32) : null;
        var q_MV = OutputDistribution.LogProbabilities(logits_MV, inverse_M1).to(ScalarType.Float64).exp();
        var p_MV = inputs.Tempered ? OutputDistribution.LogProbabilities(logits_MV, null).to(ScalarType.Float64).exp() : q_MV;
        return q_MV.Times(p_MV.lt(threshold_M1).to(ScalarType.Float64)).sum(1).Limited(LowConfidence.Floor, 1).log().cpu().data<double>().ToArray();
    }

    private static Tensor Draw(TransformerModel model, StepInputs inputs, Tensor packed, Tensor hidden_ND, Tensor? score_N, int first, int count)
    {
        using var scope = NewDisposeScope();
        Tensor Column(int at) => packed.narrow(0, at + first, count).unsqueeze(1);

        var logits_NV = OutputDistribution.Logits(model, hidden_ND);
        var inverse_N1 = inputs.Tempered ? Column(inputs.InverseTemperaturesAt).to(ScalarType.Float32) : null;
        // The softmax is float32 like the learner's; what follows widens it once, which the sum over a large vocabulary needs.
        var logp_NV = OutputDistribution.LogProbabilities(logits_NV, inverse_N1).to(ScalarType.Float64);
        var p_NV = logp_NV.exp();
        var untempered_NV = inputs.Tempered ? OutputDistribution.LogProbabilities(logits_NV, null).to(ScalarType.Float64) : logp_NV;

        var token_N1 = OutputDistribution.InverseCdf(p_NV, Column(inputs.UniformsAt));
        if (inputs.Greedy) token_N1 = where(Column(inputs.GreedyAt).to(ScalarType.Bool), logp_NV.argmax(1, keepdim: true), token_N1);

        var entropy_N1 = p_NV.Times(logp_NV).sum(1, keepdim: true).neg();
        return cat([token_N1.to(ScalarType.Float64), logp_NV.gather(1, token_N1), CertaintyOf(untempered_NV, token_N1, score_N, inputs, Column), entropy_N1], 1)
            .MoveToOuterDisposeScope();
    }

    /// <summary>[N, 1] the statistic that each draw's reveal rule asks for; a batch of one rule computes one.</summary>
    private static Tensor CertaintyOf(Tensor logp_NV, Tensor token_N1, Tensor? score_N, StepInputs inputs, Func<int, Tensor> column)
    {
        Tensor? all_N1 = null;
        foreach (var asked in inputs.Asked)
        {
            var one_N1 = asked switch
            {
                Certainty.NegativeEntropy => logp_NV.exp().Times(logp_NV).sum(1, keepdim: true),
                Certainty.Margin => MarginOf(logp_NV),
                Certainty.UnmaskingScore => score_N!.unsqueeze(1).to(ScalarType.Float64),
                Certainty.LogOfSampledToken => logp_NV.gather(1, token_N1),
                Certainty.SampledToken => logp_NV.gather(1, token_N1).exp(),
                _ => logp_NV.amax([1], keepdim: true).exp(),
            };
            all_N1 = all_N1 is null ? one_N1 : where(column(inputs.CertaintyAt).Minus((double)asked).abs().AtMost(0), one_N1, all_N1);
        }

        return all_N1!;
    }

    private static Tensor MarginOf(Tensor logp_NV)
    {
        var (top_N2, _) = logp_NV.topk(2, 1);
        var p_N2 = top_N2.exp();
        return p_N2.narrow(1, 0, 1).Minus(p_N2.narrow(1, 1, 1));
    }
}
