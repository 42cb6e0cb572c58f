using System.Runtime.InteropServices;
using Lateral.Core;
using Lateral.Core.Learning;
using Lateral.Diffusion.Learning.Corrections;
using Lateral.Diffusion.Likelihoods;
using Lateral.Diffusion.Models;
using Lateral.Diffusion.Objectives;
using static TorchSharp.torch;

namespace Lateral.Diffusion.Learning;

/// <param name="gradient">[P] valid until the call returns</param>
internal delegate void GradientReader(ReadOnlySpan<float> gradient, ShardReport report);

/// <summary>
/// The gradient shards of a batch, each from zeroed gradients: shards and random numbers are pure functions of the batch, and
/// micro-batches of the batch and what they may hold, so the sum is one too, whichever rank computes which shard.
/// </summary>
/// <remarks>
/// A shard that does not fit the device is computed again in micro-batches of half the size, and so is every one after it; that
/// is done once, because what does not fit then is likely something else.
/// </remarks>
internal sealed class ShardGradients(GrpoSettings settings, LladaModel model)
{
    private readonly GradientPass _pass = new(model, CorrectionCatalogue.Create(settings.Algorithm), settings.Temperature);
    private int _tokens = settings.Algorithm.MicroBatchTokens;
    private bool _halved;

    /// <summary>In ordinal order of their names, which is their order in the gradient vector.</summary>
    public List<Tensor> Parameters { get; } = [.. model.Parameters.OrderBy(pair => pair.Key, StringComparer.Ordinal).Select(pair => pair.Value)];

    /// <summary>P, numbers in the gradient vector.</summary>
    public int Length => checked((int)Parameters.Sum(parameter => parameter.numel()));

    /// <param name="update">of the step; what is scored is reported for the first, whose weights are those that the step began with</param>
    /// <param name="tokens">what a micro-batch holds because it was decided; null = as memory allows</param>
    /// <param name="read">takes the gradient; what it throws counts as the device's</param>
    /// <exception cref="DeviceMemoryException">half a micro-batch does not fit either; names its shape and the setting</exception>
    public void Compute(GroupBatch batch, int update, int shard, int? tokens, GradientReader read)
    {
        var limit = tokens ?? _tokens;
        try
        {
            Attempt(batch, update, shard, limit, read);
        }
        catch (DeviceMemoryException) when (!_halved)
        {
            _halved = true;
            _tokens = Math.Max(1, limit / 2);
            Attempt(batch, update, shard, _tokens, read);
        }
        finally
        {
            Gradients.Clear(Parameters);
        }
    }

    private void Attempt(GroupBatch batch, int update, int shard, int tokens, GradientReader read)
    {
        using var scope = NewDisposeScope();
        var random = new CounterRandom(settings.Seed);
        var log = update == 0 ? new TokenLog() : null;
        var advantages = batch.Rollouts.Select(rollout => rollout.Advantage).ToArray();
        var views = batch.Scored.Where(i => batch.Rollouts[i].Shard == shard)
            .SelectMany(i => TrajectoryReplay.Views(i, batch.Rollouts[i].Trajectory, settings.Algorithm.StepSubset, random, batch.Source.Step, settings.FirstPrompt));
        var microBatches = MicroBatch.Cut(views, tokens, model.Spec.MaskToken).ToList();
        try
        {
            Gradients.Clear(Parameters);
            _pass.Accumulate(microBatches, advantages, Math.Max(1, batch.Tokens), log);
            using var quiet = no_grad();
            var flat = cat([.. Parameters.Select(parameter => (parameter.grad ?? zeros_like(parameter)).flatten())], 0).cpu();
            read(MemoryMarshal.Cast<byte, float>(flat.bytes), new ShardReport(tokens, log?.ToImmutable() ?? []));
        }
        catch (Exception failure) when (DeviceFaults.Of(failure) == DeviceFault.OutOfMemory)
        {
            var largest = microBatches.MaxBy(one => one.Canvases * one.Length);
            throw new DeviceMemoryException(
                $"step {batch.Source.Step} does not fit the memory of {settings.Device}: its largest forward is of [{largest?.Canvases ?? 0}, {largest?.Length ?? 0}] tokens "
                + $"(canvases, length), in micro-batches of at most {tokens} tokens - set learner.micro-batch-tokens below that, or use a smaller model", failure);
        }
    }
}
