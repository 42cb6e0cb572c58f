using Lateral.Diffusion.Learning.Corrections;
using Lateral.Diffusion.Likelihoods;
using Lateral.Diffusion.Models;
using Lateral.Diffusion.Tensors;
using static TorchSharp.torch;

namespace Lateral.Diffusion.Learning;

/// <summary>
/// Adds to the model's gradients d/d theta of (sum over tokens of weight * loss) / denominator, one micro-batch at a time.
/// </summary>
/// <remarks>
/// A separable correction backpropagates each micro-batch as it goes. Any other needs every token's log-prob before it has a
/// loss: then a first pass scores without recording, the loss gives c_n = d loss / d log pi_n, and a second pass replays each
/// micro-batch with sum c_n log pi_n. The gradient is the same by the chain rule, and memory is that of one micro-batch.
/// </remarks>
/// <param name="temperature">of the behaviour policy</param>
internal sealed class GradientPass(LladaModel model, ICorrection correction, double temperature)
{
    /// <param name="advantages">[R] by index of the trajectory</param>
    /// <param name="denominator">all tokens of the batch</param>
    /// <param name="log">receives what was scored; null where it is known already</param>
    public void Accumulate(IReadOnlyList<MicroBatch> batches, float[] advantages, double denominator, TokenLog? log)
    {
        if (correction.Separable) Direct(batches, advantages, denominator, log);
        else Replay(batches, advantages, denominator, log);
    }

    private void Direct(IReadOnlyList<MicroBatch> batches, float[] advantages, double denominator, TokenLog? log)
    {
        foreach (var batch in batches)
        {
            using var scope = NewDisposeScope();
            var device = DeviceMicroBatch.Upload(batch, advantages, model);
            var logp_N = TrajectoryLikelihood.Score(model, device, temperature);
            var corrected = correction.Apply(logp_N, device.Behaviour_N, device.Advantages_N);
            corrected.Loss_N.Times(device.Weights_N).sum().DividedBy(denominator).backward();
            if (log is not null) Record(log, batch, logp_N, corrected);
        }
    }

    private void Replay(IReadOnlyList<MicroBatch> batches, float[] advantages, double denominator, TokenLog? log)
    {
        using var scope = NewDisposeScope();
        // Inputs are small beside activations: they stay on the device between the passes.
        var inputs = batches.Select(batch => DeviceMicroBatch.Upload(batch, advantages, model)).ToList();
        if (inputs.Count == 0) return;
        Tensor Joined(Func<DeviceMicroBatch, Tensor> column) => cat([.. inputs.Select(column)], 0);

        Tensor logp_N;
        using (no_grad()) logp_N = Joined(input => TrajectoryLikelihood.Score(model, input, temperature));
        logp_N.requires_grad = true;
        var corrected = correction.Apply(logp_N, Joined(input => input.Behaviour_N), Joined(input => input.Advantages_N));
        corrected.Loss_N.Times(Joined(input => input.Weights_N)).sum().DividedBy(denominator).backward();

        var at = 0L;
        for (var i = 0; i < inputs.Count; i++)
        {
            using var inner = NewDisposeScope();
            var count = batches[i].Tokens.Length;
            TrajectoryLikelihood.Score(model, inputs[i], temperature).dot(logp_N.grad!.narrow(0, at, count)).backward();
            if (log is not null)
                Record(log, batches[i], logp_N.narrow(0, at, count), new(corrected.Loss_N.narrow(0, at, count), corrected.Clipped_N.narrow(0, at, count)));
            at += count;
        }
    }

    /// <summary>One transfer: log-probs, losses and clip flags together.</summary>
    private static void Record(TokenLog log, MicroBatch batch, Tensor logp_N, CorrectedLoss corrected)
    {
        var packed = stack([logp_N.detach(), corrected.Loss_N.detach(), corrected.Clipped_N.to(ScalarType.Float32)]).to(ScalarType.Float64);
        var host = packed.cpu().data<double>().ToArray().AsSpan();
        var n = batch.Tokens.Length;
        log.Add(batch, host[..n], host[n..(2 * n)], host[(2 * n)..]);
    }
}
