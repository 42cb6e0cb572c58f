using System.Text.Json;
using Lateral.Diffusion.Checkpoints;
using Lateral.Diffusion.Likelihoods;
using Lateral.Diffusion.Models;
using Lateral.Diffusion.Objectives;
using Lateral.Diffusion.Tensors;
using static TorchSharp.torch;

namespace Lateral.Diffusion.Parity;

/// <summary>What MDLM's forward has beside others': logits with and without a noise level, its substitution (no mask is predicted, a revealed token stays), and its loss. Part of <c>case-forward</c>.</summary>
internal static class SubstitutionParity
{
    // Logarithms below it are those of impossible tokens: the reference has -1e6 there, we have less.
    private const double Impossible = -1e5;

    public static IEnumerable<ParityResult> Of(TransformerModel model, SafetensorsFile file, JsonElement? fixture, string title)
    {
        var ids_BL = file.Read("input_ids");
        ParityResult Compare(string what, Tensor found, double tolerance = ForwardParity.Tolerance) => ForwardParity.Compare($"{title} {what}", file.Read(what), found, tolerance);
        if (file.Contains("logits_sigma0")) yield return Compare("logits_sigma0", ForwardParity.Logits(model, model.Hidden(ids_BL)));
        if (file.Contains("logits_sigma")) yield return Compare("logits_sigma", ForwardParity.Logits(model, model.Hidden(ids_BL, null, file.Read("sigma"))));
        if (file.Contains("subs_log_probs_sigma0"))
        {
            var reference = file.Read("subs_log_probs_sigma0").Limited(Impossible, 1);
            yield return ForwardParity.Compare($"{title} subs_log_probs_sigma0", reference, LogProbabilities(model, ids_BL).Limited(Impossible, 1), ForwardParity.Tolerance);
        }

        if (!file.Contains("loss_per_token")) yield break;
        var (x0_BL, xt_BL, t_B) = (file.Read("x0"), file.Read("xt"), file.Read("t"));
        var batch = Noised(x0_BL, xt_BL, t_B);
        var loss_N = MaskedLoss.TokenLogProbs(model.TokenLogits(model.HiddenRows(xt_BL, HostTensor.Of(batch.Rows_N))), HostTensor.Of(batch.Targets_N)).neg().Times(HostTensor.Of(batch.Weights_N)).Times((double)xt_BL.numel());
        var loss_BL = zeros([xt_BL.numel()], ScalarType.Float32, CPU).PlusAt(HostTensor.Of(batch.Rows_N), loss_N).view(xt_BL.shape);
        yield return Compare("loss_per_token", loss_BL, 2 * ForwardParity.Tolerance / t_B.min().item<float>());
        if (fixture?.Find("mean_loss") is { } mean) yield return LossParity.CompareLoss($"{title} loss", MaskedLoss.Of(model, batch), mean.GetDouble());
    }

    /// <summary>[B, L, V] of what decoders draw from, where a revealed position has its token and no other.</summary>
    private static Tensor LogProbabilities(TransformerModel model, Tensor ids_BL)
    {
        var hidden_BLD = model.Hidden(ids_BL);
        var logp_BLV = OutputDistribution.LogProbabilities(OutputDistribution.Logits(model, hidden_BLD.view(-1, model.Spec.Width)), null).view(ids_BL.shape[0], ids_BL.shape[1], -1);
        var own_BLV = zeros_like(logp_BLV, ScalarType.Bool).scatter(-1, ids_BL.unsqueeze(-1), ones_like(ids_BL, ScalarType.Bool).unsqueeze(-1));
        return where(model.Masked(ids_BL).unsqueeze(-1), logp_BLV, zeros_like(logp_BLV).Filled(own_BLV.logical_not(), double.NegativeInfinity));
    }

    /// <summary>
    /// Equation 10 of the paper over all positions: its weight dsigma / (e^sigma - 1) of the log-linear schedule sigma = -log(1 - (1 - epsilon) t) is 1 / t, whatever epsilon is.
    /// </summary>
    private static NoisyBatch Noised(Tensor x0_BL, Tensor xt_BL, Tensor t_B)
    {
        var (clean, noisy, ratios, length) = (x0_BL.data<long>().ToArray(), xt_BL.data<long>().ToArray(), t_B.data<float>().ToArray(), (int)xt_BL.shape[1]);
        int[] asked = [.. Enumerable.Range(0, clean.Length).Where(at => clean[at] != noisy[at])];
        return new(ratios.Length, length, noisy, null, [.. asked.Select(at => (long)at)], [.. asked.Select(at => clean[at])], [.. asked.Select(at => 1 / (ratios[at / length] * clean.Length))]);
    }
}
