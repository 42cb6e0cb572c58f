using Lateral.Diffusion.Models;
using Lateral.Diffusion.Tensors;
using static TorchSharp.torch;

namespace Lateral.Diffusion.Objectives;

/// <summary>
/// The masked diffusion loss (Nie et al. 2025, LLaDA, equation 5 and its supervised form; Sahoo et al. 2024):
/// L = (1/B) sum_b (1/n_b) sum_{i masked} -log p(x_i | x_t) / p_b.
/// </summary>
/// <remarks>
/// Departure from the released training code: 1. the mask token is left out of the softmax, because no sampler may predict it;
/// pass `maskIsToken: true` for the released form.
/// </remarks>
public static class MaskedLoss
{
    /// <summary>The loss of a batch, a float32 scalar with gradients to the model's parameters.</summary>
    /// <returns>Zero, without gradients, when nothing is masked.</returns>
    public static Tensor Of(TransformerModel model, NoisyBatch batch, bool maskIsToken = false)
    {
        using var scope = NewDisposeScope();
        if (batch.Rows_N.Length == 0) return zeros(1).MoveToOuterDisposeScope();
        var (ids_BL, attend_BL) = batch.ToDevice(model.Device);
        var hidden_ND = model.HiddenRows(ids_BL, HostTensor.Of(batch.Rows_N).to(model.Device), attend_BL);
        var logits_NV = maskIsToken ? model.Logits(hidden_ND) : model.TokenLogits(hidden_ND);
        var logProbs_N = TokenLogProbs(logits_NV, HostTensor.Of(batch.Targets_N).to(model.Device));
        return logProbs_N.Times(HostTensor.Of(batch.Weights_N).to(model.Device)).sum().neg().MoveToOuterDisposeScope();
    }

    /// <summary>log softmax(logits)[target] per row, natural logarithm, float32: [N, V] and [N] to [N].</summary>
    public static Tensor TokenLogProbs(Tensor logits_NV, Tensor targets_N)
    {
        using var scope = NewDisposeScope();
        return logits_NV.log_softmax(-1).gather(1, targets_N.unsqueeze(1)).squeeze(1).MoveToOuterDisposeScope();
    }
}
