using System.Runtime.InteropServices;
using Lateral.Core;
using Lateral.Core.Learning;
using Lateral.Diffusion.Checkpoints;
using Lateral.Diffusion.Learning.Corrections;
using Lateral.Diffusion.Likelihoods;
using Lateral.Diffusion.Models;
using Lateral.Diffusion.Objectives;
using static TorchSharp.torch;

namespace Lateral.Diffusion.Learning;

/// <summary>
/// Weights, optimizer and step of the policy in training. Every call is made on the device thread. Parameters are taken in
/// ordinal order of their names wherever they form one vector.
/// </summary>
internal sealed class LearnerState : IDisposable
{
    private readonly GrpoSettings _settings;
    private readonly LearningRate _schedule;
    private readonly GradientPass _pass;
    private readonly List<Tensor> _parameters;

    public LearnerState(GrpoSettings settings, LladaModel model)
    {
        (_settings, Model) = (settings, model);
        var algorithm = settings.Algorithm;
        _schedule = new(algorithm.LearningRate, algorithm.LrWarmup, settings.Steps * algorithm.Updates, DecayOf(algorithm.Schedule), algorithm.FinalFraction);
        _pass = new(model, CorrectionCatalogue.Create(algorithm), settings.Temperature);
        _parameters = [.. model.Parameters.OrderBy(pair => pair.Key, StringComparer.Ordinal).Select(pair => pair.Value)];
        Optimizer = new(model.Parameters, new(algorithm.Beta1, algorithm.Beta2, algorithm.AdamEpsilon, algorithm.WeightDecay));
        GradientLength = checked((int)_parameters.Sum(parameter => parameter.numel()));
    }

    public LladaModel Model { get; }

    public AdamW Optimizer { get; }

    /// <summary>Numbers in the gradient vector.</summary>
    public int GradientLength { get; }

    /// <summary>The last trained step, which is the policy's version.</summary>
    public int Step { get; set; }

    /// <summary>SHA-256 of the published weights of <see cref="Step"/>.</summary>
    public string Hash { get; set; } = "";

    public static Decay DecayOf(string schedule) => schedule switch
    {
        "constant" => Decay.Constant,
        "linear" => Decay.Linear,
        "cosine" => Decay.Cosine,
        _ => throw new ArgumentException($"unknown schedule '{schedule}'; one of: constant, linear, cosine", nameof(schedule)),
    };

    /// <summary>
    /// Computes this rank's gradient shards in ascending order, each from zeroed gradients, and contributes them. Shard and
    /// micro-batches are pure functions of the batch, so the sum is one too.
    /// </summary>
    public bool ContributeShards(GroupBatch batch, IGradientExchange exchange, TokenLog? log)
    {
        var advantages = batch.Rollouts.Select(rollout => rollout.Advantage).ToArray();
        var random = new CounterRandom(_settings.Seed);
        for (var shard = 0; shard < _settings.Algorithm.Shards; shard++)
        {
            if (!exchange.Owns(shard)) continue;
            using var scope = NewDisposeScope();
            var views = batch.Scored.Where(i => batch.Rollouts[i].Shard == shard)
                .SelectMany(i => TrajectoryReplay.Views(i, batch.Rollouts[i].Trajectory, _settings.Algorithm.StepSubset, random, batch.Source.Step, _settings.FirstPrompt));
            var microBatches = MicroBatch.Cut(views, _settings.Algorithm.MicroBatchTokens, Model.Spec.MaskToken).ToList();
            Gradients.Clear(_parameters);
            _pass.Accumulate(microBatches, advantages, Math.Max(1, batch.Tokens), log);
            using var quiet = no_grad();
            var flat = cat([.. _parameters.Select(parameter => (parameter.grad ?? zeros_like(parameter)).flatten())], 0).cpu();
            exchange.Contribute(shard, MemoryMarshal.Cast<byte, float>(flat.bytes));
        }

        Gradients.Clear(_parameters);
        return true;
    }

    /// <summary>One optimizer update from the summed gradient; nothing changes when it is not finite.</summary>
    public UpdateResult Apply(float[] total, int step, int update)
    {
        using var quiet = no_grad();
        var flat = total.ToDevice(Model.Device);
        var at = 0L;
        foreach (var parameter in _parameters)
        {
            parameter.grad = flat.narrow(0, at, parameter.numel()).view(parameter.shape);
            at += parameter.numel();
        }

        var limit = _settings.Algorithm.MaxGradNorm;
        var norm = Gradients.Clip(_parameters, limit == 0 ? double.PositiveInfinity : limit);
        var rate = _schedule.At((step - 1L) * _settings.Algorithm.Updates + update);
        var finite = double.IsFinite(norm);
        if (finite) Optimizer.Step(rate);
        Gradients.Clear(_parameters);
        return new(norm, rate, !finite);
    }

    /// <summary>Copies of all weights and of the optimizer on the CPU, which outlive the scope; the caller disposes them.</summary>
    public (Dictionary<string, Tensor> Weights, Dictionary<string, Tensor> Optimizer) Copy()
    {
        using var scope = NewDisposeScope();
        using var quiet = no_grad();
        return (CopyOf(Model.Parameters), CopyOf(Optimizer.State()));

        static Dictionary<string, Tensor> CopyOf(IReadOnlyDictionary<string, Tensor> tensors) => tensors.ToDictionary(
            pair => pair.Key, pair => pair.Value.detach().to(CPU, copy: true).DetachFromDisposeScope(), StringComparer.Ordinal);
    }

    public void Dispose()
    {
        Optimizer.Dispose();
        Model.Dispose();
    }
}

/// <param name="Norm">of the gradient before clipping</param>
/// <param name="Skipped">the gradient was not finite and the weights are unchanged</param>
internal readonly record struct UpdateResult(double Norm, double Rate, bool Skipped);
