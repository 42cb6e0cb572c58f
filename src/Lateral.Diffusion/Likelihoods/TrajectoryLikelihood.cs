using Lateral.Diffusion.Models;
using Lateral.Diffusion.Tensors;
using static TorchSharp.torch;

namespace Lateral.Diffusion.Likelihoods;

/// <summary>
/// A micro-batch on the device, uploaded in one transfer. B views, L length, N scored tokens; tensors belong to the scope
/// of the upload.
/// </summary>
/// <param name="Attended_BL">null where no canvas is padded</param>
/// <param name="Advantages_N">of the token's trajectory</param>
public sealed record DeviceMicroBatch(
    Tensor Ids_BL, Tensor? Attended_BL, Tensor Rows_N, Tensor Tokens_N, Tensor Behaviour_N, Tensor Weights_N, Tensor Advantages_N)
{
    /// <param name="advantages">[R] by index of the trajectory in its batch</param>
    public static DeviceMicroBatch Upload(MicroBatch batch, ReadOnlySpan<float> advantages, Device device)
    {
        var (canvas, scored) = (batch.Ids.Length, batch.Tokens.Length);
        var host = new double[(batch.Padded ? 2 : 1) * canvas + 5 * scored];
        batch.Ids.CopyTo(host, 0);
        double[][] columns = [batch.Rows, batch.Tokens, batch.Behaviour, batch.Weights];
        for (var c = 0; c < columns.Length; c++) columns[c].CopyTo(host, canvas + c * scored);
        for (var i = 0; i < scored; i++) host[canvas + 4 * scored + i] = advantages[batch.Rollouts[i]];
        if (batch.Padded)
        {
            for (var b = 0; b < batch.Views; b++) host.AsSpan(canvas + 5 * scored + b * batch.Length, batch.Lengths[b]).Fill(1);
        }

        // float64 carries ids and row numbers without loss.
        var packed = from_array(host).to(device);
        Tensor Column(int c, ScalarType type) => packed.narrow(0, canvas + c * scored, scored).to(type);
        return new(
            packed.narrow(0, 0, canvas).to(ScalarType.Int64).view(batch.Views, batch.Length),
            batch.Padded ? packed.narrow(0, canvas + 5 * scored, canvas).to(ScalarType.Bool).view(batch.Views, batch.Length) : null,
            Column(0, ScalarType.Int64), Column(1, ScalarType.Int64), Column(2, ScalarType.Float32), Column(3, ScalarType.Float32), Column(4, ScalarType.Float32));
    }
}

/// <summary>Scores recorded tokens under the current weights: one forward per micro-batch, the head on scored rows only.</summary>
public static class TrajectoryLikelihood
{
    /// <param name="temperature">T of the behaviour policy: pi and mu have to be tempered alike</param>
    /// <returns>[N] log pi, natural, float32; differentiable in the weights</returns>
    public static Tensor Score(LladaModel model, DeviceMicroBatch batch, double temperature)
    {
        using var scope = NewDisposeScope();
        var rows_ND = model.HiddenRows(batch.Ids_BL, batch.Rows_N, batch.Attended_BL);
        var inverse = temperature == 1 ? null : tensor(new[] { (float)(1 / temperature) }, device: model.Device);
        var logp_NV = OutputDistribution.LogProbabilities(OutputDistribution.Logits(model, rows_ND), inverse);
        return logp_NV.gather(1, batch.Tokens_N.unsqueeze(1)).squeeze(1).MoveToOuterDisposeScope();
    }
}
