using Lateral.Benchmarks.Measuring;
using Lateral.Core.Rollouts;
using Lateral.Diffusion.Likelihoods;
using Lateral.Diffusion.Models;
using Lateral.Diffusion.Tensors;
using static TorchSharp.torch;

namespace Lateral.Benchmarks.Engines;

/// <summary>
/// The model calls behind a sampled batch and nothing else: same number of forwards, same canvases (equal ones once), same
/// scored rows. B canvases, L length, U rows.
/// </summary>
internal static class BareForwards
{
    private sealed record Forward(Tensor Ids_BL, Tensor Rows_U);

    /// <summary>On a device thread; inputs are made before the clock starts.</summary>
    public static Cost Run(TransformerModel model, Workload workload, Batch batch)
    {
        var waves = new[] { batch.Trajectories[..1].ToArray() }.Concat(batch.Trajectories[1..].Chunk(workload.Slots));
        var forwards = waves.SelectMany(wave => Enumerable.Range(0, wave[0].Steps).Select(step => Inputs(wave, step, workload))).ToList();
        var start = Cost.Now;
        foreach (var forward in forwards)
        {
            using var scope = NewDisposeScope();
            _ = model.Logits(model.HiddenRows(forward.Ids_BL, forward.Rows_U));
        }

        return Cost.Now - start;
    }

    private static Forward Inputs(Trajectory[] wave, int step, Workload workload)
    {
        var maskId = workload.Tokenizer.MaskId;
        // Equal canvases have equal texts when each token is a character.
        var canvases = wave.Select(trajectory => StateView.Before(step, trajectory, []).Canvas(maskId))
            .DistinctBy(canvas => string.Concat(canvas.Select(token => (char)token)), StringComparer.Ordinal).ToArray();
        var length = canvases[0].Length;
        var rows = canvases.SelectMany((canvas, b) => canvas.Index().Where(cell => cell.Item == maskId).Select(cell => (long)b * length + cell.Index)).ToArray();
        long[] ids = [.. canvases.SelectMany(canvas => canvas).Select(token => (long)token)];
        return new(HostTensor.Of(ids, canvases.Length, length), HostTensor.Of(rows));
    }
}
