using Lateral.Core;
using Lateral.Core.Learning;
using Lateral.Core.Rollouts;
using Lateral.Diffusion.Checkpoints;
using Lateral.Diffusion.Likelihoods;
using Lateral.Diffusion.Models;
using Lateral.Diffusion.Objectives;
using Lateral.Diffusion.Tensors;
using static TorchSharp.torch;

namespace Lateral.Diffusion.Learning.Values;

/// <summary>
/// The value model of TraceRL (Wang et al., arXiv 2509.06949): the policy as it was when the critic began, with a head of one output, no bias and zero
/// weights, so that its first values are 0. V of a token is its output at the token's position in the state before the step that revealed it.
/// </summary>
/// <remarks>
/// It trains beside the policy and stays on the learner: part of the checkpoint, never of the published policy. States are scored and backpropagated one
/// micro-batch at a time, so what it needs of the device does not grow with their number. Every call is made on the device thread.
/// </remarks>
internal sealed class Critic : IDisposable
{
    private readonly LearnerSettings _learner;
    private readonly CriticSettings _settings;
    private readonly TransformerModel _model;
    private readonly AdamW _optimizer;
    private readonly int _merge;

    /// <param name="policy">whose weights it begins with</param>
    public Critic(LearnerSettings learner, CriticSettings settings, TransformerModel policy)
    {
        (_learner, _settings) = (learner, settings);
        // What the likelihood merges into one step is one step here, too.
        _merge = (int)learner.Likelihood.Knobs.GetValueOrDefault("merge", 1);
        _model = Begin(policy);
        _optimizer = new(_model.Parameters, new(learner.Beta1, learner.Beta2, learner.AdamEpsilon, learner.WeightDecay));
    }

    /// <summary>V of every token, without a gradient, and what follows from it.</summary>
    public Appraisal Appraise(LearnerBatch batch)
    {
        var rollouts = batch.Groups.SelectMany(group => group.Siblings).ToList();
        var (views, first) = (new List<PlacedView>(), 0);
        foreach (var rollout in rollouts)
        {
            foreach (var positions in ValueGae.StatesOf(rollout.Trajectory, _merge)) views.Add(new(Before(rollout.Trajectory, positions), first));
            first += rollout.Trajectory.Tokens.Length;
        }

        var (old, returns) = (new float[first], new float[first]);
        // Cut by the setting alone: what fits the memory of a pass without gradients is no decision that a replay would have to know.
        foreach (var microBatch in MicroBatch.Cut(views, _learner.MicroBatchTokens, _model.Spec.MaskToken)) Read(microBatch, old);
        first = 0;
        var advantages = batch.Groups.Select(group => group.Siblings.Select(sibling =>
        {
            var span = old.AsSpan(first, sibling.Trajectory.Tokens.Length);
            var estimate = ValueGae.Of(sibling.Trajectory, sibling.Reward, span, _settings, _merge);
            estimate.Returns.CopyTo(returns, first);
            first += span.Length;
            return new RolloutAdvantage(sibling.Trajectory, estimate.Advantages);
        }).ToArray()).ToArray();
        return new(batch.Step, views, old, returns, advantages);
    }

    /// <summary>Adds d/d phi of the mean over all tokens of the clipped squared error.</summary>
    /// <param name="tokens">what a micro-batch holds</param>
    /// <exception cref="DeviceMemoryException">one does not fit; names its shape and the setting</exception>
    public void Accumulate(Appraisal appraisal, int tokens)
    {
        MicroBatch? last = null;
        try
        {
            foreach (var microBatch in MicroBatch.Cut(appraisal.Views, tokens, _model.Spec.MaskToken)) Backward(last = microBatch, appraisal);
        }
        catch (Exception failure) when (DeviceFaults.Of(failure) == DeviceFault.OutOfMemory)
        {
            throw DeviceMemoryException.InStep(appraisal.Step, _model.Device.ToString(), last, tokens, failure);
        }
    }

    /// <returns>the gradient's norm before it is clipped</returns>
    public double ClipGradient(double limit) => Gradients.Clip([.. _model.Parameters.Values], limit);

    /// <param name="schedule">of the policy; the critic's has another peak</param>
    public void Step(LearningRate schedule, long update) => _optimizer.Step((schedule with { Peak = _settings.LearningRate }).At(update));

    public void ClearGradient() => Gradients.Clear(_model.Parameters.Values);

    /// <summary>Live tensors, not copies.</summary>
    public (IReadOnlyDictionary<string, Tensor> Weights, IReadOnlyDictionary<string, Tensor> Optimizer) State() => (_model.Parameters, _optimizer.State());

    /// <exception cref="ModelException">it is one of another model</exception>
    public void Restore(SafetensorsFile weights, SafetensorsFile optimizer)
    {
        using var scope = NewDisposeScope();
        using var quiet = no_grad();
        foreach (var (name, parameter) in _model.Parameters)
        {
            var saved = weights.Read(name);
            if (!saved.shape.SequenceEqual(parameter.shape)) throw new ModelException($"the critic's {name} is [{string.Join(", ", saved.shape)}] there and [{string.Join(", ", parameter.shape)}] here");
            parameter.copy_(saved);
        }

        _optimizer.Restore(optimizer);
    }

    public void Dispose()
    {
        _optimizer.Dispose();
        _model.Dispose();
    }

    private static TransformerModel Begin(TransformerModel policy)
    {
        using var scope = NewDisposeScope();
        using var quiet = no_grad();
        // Which masks fall is no part of what a state is worth.
        var parameters = policy.Parameters.Where(pair => !UnmaskingPolicyLayout.Owns(pair.Key)).ToDictionary(pair => pair.Key, pair => pair.Key == policy.HeadName ? zeros([1, policy.Spec.Width], ScalarType.Float32, policy.Device) : pair.Value.detach().clone(), StringComparer.Ordinal);
        foreach (var parameter in parameters.Values)
        {
            parameter.requires_grad = true;
            parameter.DetachFromDisposeScope();
        }

        return new(policy.Spec with { UnmaskingPolicy = false }, parameters, policy.Device);
    }

    private static StateView Before(Trajectory trajectory, int[] positions) =>
        StateView.Before(positions.Min(position => trajectory.RevealStep[position]), trajectory, [.. positions.Select(position => new Question(position, position, 1))]);

    private void Backward(MicroBatch microBatch, Appraisal appraisal)
    {
        using var scope = NewDisposeScope();
        double[] Column(float[] of) => Array.ConvertAll(microBatch.Units, n => (double)of[n]);
        var packed = Upload(microBatch, Column(appraisal.Old), Column(appraisal.Returns));
        var value_N = Values(microBatch, packed);
        var (old_N, return_N) = (packed.Next(ScalarType.Float32), packed.Next(ScalarType.Float32));
        ValueLoss.Of(value_N, old_N, return_N, _settings.Clip).sum().DividedBy(appraisal.Count).backward();
    }

    private void Read(MicroBatch microBatch, float[] into)
    {
        using var scope = NewDisposeScope();
        using var quiet = no_grad();
        var values = Values(microBatch, Upload(microBatch)).cpu().data<float>().ToArray();
        for (var n = 0; n < values.Length; n++) into[microBatch.Units[n]] = values[n];
    }

    private PackedUpload Upload(MicroBatch microBatch, params ReadOnlySpan<double[]> columns) =>
        new([microBatch.Ids, microBatch.Attended(), microBatch.Rows, microBatch.RowOf, .. columns], _model);

    /// <summary>[N] V of the positions asked for; siblings whose states are alike share a row.</summary>
    private Tensor Values(MicroBatch microBatch, PackedUpload packed)
    {
        var ids_BL = packed.Next(ScalarType.Int64).view(microBatch.Canvases, microBatch.Length);
        var attended_BL = packed.Next(ScalarType.Bool);
        var (rows_R, rowOf_N) = (packed.Next(ScalarType.Int64), packed.Next(ScalarType.Int64));
        var hidden_RD = _model.HiddenRows(ids_BL, rows_R, microBatch.Padded ? attended_BL.view(microBatch.Canvases, microBatch.Length) : null);
        return _model.Logits(hidden_RD).view(-1).index_select(0, rowOf_N);
    }
}
