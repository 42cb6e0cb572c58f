using Lateral.Core.Policies;
using Lateral.Diffusion.Likelihoods;
using Lateral.Diffusion.Models;
using Lateral.Diffusion.Objectives;
using static TorchSharp.torch;

namespace Lateral.Diffusion.Learning;

/// <summary>
/// Weights, optimizer and step of the policy in training. Every call is made on the device thread.
/// </summary>
internal sealed class LearnerState : IDisposable
{
    private readonly GrpoSettings _settings;
    private readonly LearningRate _schedule;

    /// <param name="reference">takes the policy that the run began with; null where nothing asks it</param>
    public LearnerState(GrpoSettings settings, LladaModel model, LladaModel? reference)
    {
        (_settings, Model, Reference) = (settings, model, reference);
        var algorithm = settings.Algorithm;
        _schedule = new(algorithm.LearningRate, algorithm.LrWarmup, settings.Steps * algorithm.Updates, DecayOf(algorithm.Schedule), algorithm.FinalFraction);
        Shards = new(settings, model, reference);
        Optimizer = new(model.Parameters, new(algorithm.Beta1, algorithm.Beta2, algorithm.AdamEpsilon, algorithm.WeightDecay));
    }

    public LladaModel Model { get; }

    /// <summary>The policy that the run began with, once it is there; null where nothing asks it.</summary>
    public LladaModel? Reference { get; }

    /// <summary>Whether <see cref="Reference"/> holds its weights.</summary>
    public bool ReferenceLoaded { get; set; }

    public AdamW Optimizer { get; }

    /// <summary>Gradients of the current weights.</summary>
    public ShardGradients Shards { get; }

    /// <summary>The last trained step, which is the policy's version.</summary>
    public int Step { get; set; }

    /// <summary>SHA-256 of the published weights of <see cref="Step"/>.</summary>
    public string Hash { get; set; } = "";

    /// <summary>Where the current weights can be fetched; null = they are loaded, or have changed since they were published.</summary>
    public PolicyManifest? Published { get; set; }

    public static Decay DecayOf(string schedule) => schedule switch
    {
        "constant" => Decay.Constant,
        "linear" => Decay.Linear,
        "cosine" => Decay.Cosine,
        _ => throw new ArgumentException($"unknown schedule '{schedule}'; one of: constant, linear, cosine", nameof(schedule)),
    };

    /// <summary>One optimizer update from the summed gradient; nothing changes when it is not finite.</summary>
    public UpdateResult Apply(float[] total, int step, int update)
    {
        using var quiet = no_grad();
        var flat = total.ToDevice(Model.Device);
        var at = 0L;
        foreach (var parameter in Shards.Parameters)
        {
            parameter.grad = flat.narrow(0, at, parameter.numel()).view(parameter.shape);
            at += parameter.numel();
        }

        var limit = _settings.Algorithm.MaxGradNorm;
        var norm = Gradients.Clip(Shards.Parameters, limit == 0 ? double.PositiveInfinity : limit);
        var rate = _schedule.At((step - 1L) * _settings.Algorithm.Updates + update);
        var finite = double.IsFinite(norm);
        if (finite)
        {
            Published = null;
            Optimizer.Step(rate);
        }

        Gradients.Clear(Shards.Parameters);
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
        Reference?.Dispose();
        Model.Dispose();
    }
}

/// <param name="Norm">of the gradient before clipping</param>
/// <param name="Skipped">the gradient was not finite and the weights are unchanged</param>
internal readonly record struct UpdateResult(double Norm, double Rate, bool Skipped);
