using Lateral.Core.Learning;
using Lateral.Diffusion.Learning.Corrections;
using Lateral.Diffusion.Likelihoods;
using Lateral.Diffusion.Models;
using Lateral.Diffusion.Tensors;
using static TorchSharp.torch;

namespace Lateral.Diffusion.Learning;

/// <summary>
/// Adds to the model's gradients d/d theta of (sum over units of weight * loss) / denominator, one micro-batch at a time.
/// </summary>
/// <remarks>
/// Where every unit lies in one view and its loss depends on it alone, each micro-batch is backpropagated as it goes. Anything else needs
/// every answer before there is a loss: then a first pass scores without recording, the loss gives c_n = d loss / d log pi_n, and a second pass
/// replays each micro-batch with sum c_n log pi_n (proxy-gradient replay). The gradient is the same by the chain rule, and memory is that of
/// one micro-batch.
/// </remarks>
/// <param name="temperature">of the behaviour policy</param>
/// <param name="kl">penalty beside the correction's loss; null = none</param>
/// <param name="reference">the policy that the run began with; null where nothing asks it</param>
internal sealed class GradientPass(
    TransformerModel model, ILikelihood likelihood, ICorrection correction, double temperature, KlSettings? kl = null, TransformerModel? reference = null)
{
    /// <param name="batches">of the table's views</param>
    /// <param name="denominator">all units of the batch</param>
    /// <param name="log">receives what was scored; null where it is known already</param>
    /// <param name="values">[U] receives the units' log pi; null = nobody asks</param>
    public void Accumulate(IReadOnlyList<MicroBatch> batches, IReadOnlyList<Unit> units, double denominator, UnitLog? log, float[]? values = null)
    {
        if (batches.Count == 0) return;
        var record = log is null && values is null ? null : new Recording(units, log, values);
        if (correction.Separable && likelihood.Separable) Direct(batches, units, denominator, record);
        else Replay(batches, units, denominator, record);
    }

    private void Direct(IReadOnlyList<MicroBatch> batches, IReadOnlyList<Unit> units, double denominator, Recording? record)
    {
        foreach (var batch in batches)
        {
            using var scope = NewDisposeScope();
            var device = DeviceMicroBatch.Upload(batch, units, model);
            var logp_N = ViewScorer.Score(model, device, temperature);
            model.Backward(Loss(logp_N, device.Questions, device.Units, [device], batch.Asked(), denominator, record));
        }
    }

    private void Replay(IReadOnlyList<MicroBatch> batches, IReadOnlyList<Unit> units, double denominator, Recording? record)
    {
        using var scope = NewDisposeScope();
        // Inputs are small beside activations: they stay on the device between the passes.
        var all = DeviceUnits.Upload(units, model);
        var inputs = batches.Select(batch => DeviceMicroBatch.Upload(batch, all, model)).ToList();
        var logp_N = Answers(model, inputs);
        logp_N.requires_grad = true;
        Loss(logp_N, DeviceQuestions.Joined(inputs), all, inputs, [.. Enumerable.Range(0, units.Count)], denominator, record).backward();

        var at = 0L;
        foreach (var input in inputs)
        {
            using var inner = NewDisposeScope();
            var count = input.Count;
            model.Backward(ViewScorer.Score(model, input, temperature).dot(logp_N.grad!.narrow(0, at, count)));
            at += count;
        }
    }

    /// <summary>From the answers to the loss.</summary>
    private Tensor Loss(Tensor logp_N, DeviceQuestions questions, DeviceUnits units, IReadOnlyList<DeviceMicroBatch> inputs, int[] asked, double denominator, Recording? record)
    {
        if (reference is not null) units = units with { Reference_U = likelihood.Combine(Answers(reference, inputs), questions, units) };
        var logp_U = likelihood.Combine(logp_N, questions, units);
        var corrected = correction.Apply(logp_U, units);
        var loss_U = kl is { Coefficient: > 0 } ? corrected.Loss_U.PlusScaled(KlPenalty.Of(kl, logp_U, units), kl.Coefficient) : corrected.Loss_U;
        record?.Take(asked, logp_U, units.Reference_U, corrected with { Loss_U = loss_U });
        return loss_U.Times(units.Weight_U).sum().DividedBy(denominator);
    }

    /// <summary>[N] answers to all questions, without a gradient.</summary>
    private Tensor Answers(TransformerModel of, IReadOnlyList<DeviceMicroBatch> inputs)
    {
        using var quiet = no_grad();
        return cat([.. inputs.Select(input => ViewScorer.Score(of, input, temperature))], 0);
    }

    private sealed record Recording(IReadOnlyList<Unit> Units, UnitLog? Log, float[]? Values)
    {
        /// <summary>One transfer: values, losses and clip flags together.</summary>
        public void Take(int[] asked, Tensor logp_U, Tensor? reference_U, CorrectedLoss corrected)
        {
            var current_U = logp_U.detach();
            var packed = stack([current_U, corrected.Loss_U.detach(), corrected.Clipped_U.to(ScalarType.Float32), .. reference_U is null ? Array.Empty<Tensor>() : [current_U.Minus(reference_U)]]).to(ScalarType.Float64);
            var host = packed.cpu().data<double>().ToArray().AsSpan();
            var n = asked.Length;
            Log?.Add(Array.ConvertAll(asked, unit => Units[unit]), host[..n], host[n..(2 * n)], host[(2 * n)..(3 * n)], host[(3 * n)..]);
            if (Values is null) return;
            for (var i = 0; i < n; i++) Values[asked[i]] = (float)host[i];
        }
    }
}
