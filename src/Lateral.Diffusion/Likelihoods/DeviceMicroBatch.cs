using Lateral.Diffusion.Models;
using static TorchSharp.torch;

namespace Lateral.Diffusion.Likelihoods;

/// <summary>
/// A micro-batch on the device, uploaded in one transfer. B canvases, L length, U scored rows, N scored tokens; tensors
/// belong to the scope of the upload.
/// </summary>
/// <param name="Attended_BL">null where no canvas is padded</param>
/// <param name="Entries_N">index of each scored token's log-prob in the flattened [U * V] ones</param>
/// <param name="Advantages_N">of the token's trajectory</param>
public sealed record DeviceMicroBatch(
    Tensor Ids_BL, Tensor? Attended_BL, Tensor Rows_U, Tensor Entries_N, Tensor Behaviour_N, Tensor Weights_N, Tensor Advantages_N)
{
    /// <param name="advantages">[R] by index of the trajectory in its batch</param>
    public static DeviceMicroBatch Upload(MicroBatch batch, float[] advantages, LladaModel model)
    {
        // float64 carries ids and row numbers without loss. Sections: ids, rows, four columns of N, attended.
        double[] attended = [];
        if (batch.Padded)
        {
            attended = new double[batch.Ids.Length];
            for (var b = 0; b < batch.Canvases; b++) attended.AsSpan(b * batch.Length, batch.Lengths[b]).Fill(1);
        }

        var entries = batch.RowOf.Zip(batch.Tokens, (row, token) => row * model.Spec.Vocabulary + token).ToArray();
        double[][] sections =
        [
            batch.Ids, batch.Rows, entries, batch.Behaviour, batch.Weights, Array.ConvertAll(batch.Rollouts, rollout => (double)advantages[rollout]), attended,
        ];
        var packed = ((double[])[.. sections.SelectMany(section => section)]).ToDevice(model.Device);
        var at = 0L;
        Tensor Next(int section, ScalarType type)
        {
            var start = at;
            at += sections[section].Length;
            return packed.narrow(0, start, sections[section].Length).to(type);
        }

        var ids_BL = Next(0, ScalarType.Int64).view(batch.Canvases, batch.Length);
        var (rows_U, entries_N) = (Next(1, ScalarType.Int64), Next(2, ScalarType.Int64));
        var (behaviour_N, weights_N, advantages_N) = (Next(3, ScalarType.Float32), Next(4, ScalarType.Float32), Next(5, ScalarType.Float32));
        return new(
            ids_BL, batch.Padded ? Next(6, ScalarType.Bool).view(batch.Canvases, batch.Length) : null, rows_U, entries_N, behaviour_N, weights_N, advantages_N);
    }
}
