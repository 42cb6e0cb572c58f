using System.Diagnostics;
using Lateral.Core;
using Lateral.Diffusion.Models;
using Lateral.Diffusion.Tensors;
using static TorchSharp.torch;

namespace Lateral.Diffusion.Objectives;

/// <summary>The recipe of a supervised training.</summary>
/// <param name="Steps">Optimizer updates.</param>
/// <param name="BatchSize">Examples per update.</param>
/// <param name="ClipNorm">Greatest norm of the gradient.</param>
/// <param name="MinimumMaskRatio">eps of <see cref="NoisyBatch.Mask"/>: 1e-3 in LLaDA, 0 in the quickstart.</param>
/// <param name="Seed">Everything random follows from it.</param>
public sealed record SupervisedSettings(int Steps, int BatchSize, LearningRate LearningRate, AdamSettings Adam, double ClipNorm, double MinimumMaskRatio, ulong Seed);

/// <summary>Where a supervised training stands after a step.</summary>
/// <param name="Step">1 to <paramref name="Steps"/>.</param>
/// <param name="Loss">Nats per answer token, of this step's batch, before its update.</param>
/// <param name="GradientNorm">Before clipping.</param>
public sealed record SupervisedProgress(int Step, int Steps, double Loss, double GradientNorm, double LearningRate, TimeSpan Elapsed);

/// <summary>
/// Trains a model to reveal masked answers: the warm-up that gives reinforcement learning a base to improve. Example and noise of row b of
/// step n are functions of (seed, n, b), so with one torch thread the weights are the same to the bit wherever and however often it runs.
/// </summary>
public static class SupervisedTrainer
{
    /// <summary>Runs all steps on the calling thread (a <see cref="DeviceThread"/> with autograd on), changing the model in place.</summary>
    /// <param name="objective">What is noised, and so asked.</param>
    /// <param name="example">Gives the example of (step from 0, row).</param>
    /// <param name="report">Called after every step.</param>
    /// <exception cref="OperationCanceledException">Between two steps, when asked; the model then is half trained.</exception>
    /// <exception cref="InvalidOperationException">The loss or its gradient stopped being finite.</exception>
    public static void Train(
        TransformerModel model, SupervisedSettings settings, ISupervisedObjective objective, Func<int, int, SupervisedExample> example, Action<SupervisedProgress> report, CancellationToken cancel = default)
    {
        var clock = Stopwatch.StartNew();
        var random = new CounterRandom(settings.Seed);
        var trained = model.Policy.Values.ToList();
        using var optimizer = new AdamW(model.Policy, settings.Adam);
        for (var step = 0; step < settings.Steps; step++)
        {
            cancel.ThrowIfCancellationRequested();
            using var scope = NewDisposeScope();
            var now = step;
            var examples = Enumerable.Range(0, settings.BatchSize).Select(row => example(now, row)).ToList();
            var batch = objective.Noise(model, examples, new(random, step, settings.Steps, settings.MinimumMaskRatio));
            if (batch.Rows_N.Length == 0) continue;

            var loss = MaskedLoss.Of(model, batch);
            model.Backward(loss);
            var norm = Gradients.Clip(trained, settings.ClipNorm);
            var value = loss.item<float>();
            if (!float.IsFinite(value) || !double.IsFinite(norm))
                throw new InvalidOperationException($"supervised step {step + 1}: loss {value}, gradient norm {norm}; lower the learning rate ({settings.LearningRate.Peak}) or look at the data");
            var rate = settings.LearningRate.At(step);
            optimizer.Step(rate);
            Gradients.Clear(trained);
            report(new(step + 1, settings.Steps, value, norm, rate, clock.Elapsed));
        }
    }
}
