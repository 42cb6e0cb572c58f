using Lateral.Core.Policies;
using Lateral.Diffusion.Learning.Values;
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
    public LearnerState(GrpoSettings settings, TransformerModel model, TransformerModel? reference)
    {
        (_settings, Model, Reference) = (settings, model, reference);
        var algorithm = settings.Algorithm;
        _schedule = new(algorithm.LearningRate, algorithm.LrWarmup, settings.Steps * algorithm.Updates, DecayOf(algorithm.Schedule), algorithm.FinalFraction);
        Shards = new(settings, model, reference);
        Optimizer = new(model.Policy, new(algorithm.Beta1, algorithm.Beta2, algorithm.AdamEpsilon, algorithm.WeightDecay), name => UnmaskingPolicyLayout.Owns(name) ? algorithm.UnmaskingRate : 1);
    }

    public TransformerModel Model { get; }

    /// <summary>The policy that the run began with, once it is there; null where nothing asks it.</summary>
    public TransformerModel? Reference { get; }

    /// <summary>Whether <see cref="Reference"/> holds its weights.</summary>
    public bool ReferenceLoaded { get; set; }

    public AdamW Optimizer { get; }

    /// <summary>The value model, from the moment at which there are weights to begin with; null where nothing asks it.</summary>
    public Critic? Critic { get; private set; }

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

    /// <summary>A value model in place of the one before, where the advantage needs one.</summary>
    /// <param name="saved">it was part of a checkpoint; null = it begins with the current weights</param>
    public void BeginCritic(SavedCritic? saved)
    {
        if (_settings.Algorithm.Critic is not { } critic) return;
        Critic?.Dispose();
        Critic = new(_settings.Algorithm, critic, Model);
        saved?.LoadInto(Critic);
    }

    /// <summary>One optimizer update from the summed gradient, and one of the critic; nothing changes when either gradient is not finite.</summary>
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

        var limit = _settings.Algorithm.MaxGradNorm == 0 ? double.PositiveInfinity : _settings.Algorithm.MaxGradNorm;
        var (norm, valueNorm) = (Gradients.Clip(Shards.Parameters, limit), Critic?.ClipGradient(limit));
        var number = (step - 1L) * _settings.Algorithm.Updates + update;
        var rate = _schedule.At(number);
        var finite = double.IsFinite(norm) && double.IsFinite(valueNorm ?? 0);
        if (finite)
        {
            Published = null;
            Optimizer.Step(rate);
            Critic?.Step(_schedule, number);
        }

        Gradients.Clear(Shards.Parameters);
        Critic?.ClearGradient();
        return new(norm, rate, !finite) { ValueNorm = valueNorm };
    }

    /// <summary>Copies of all weights and optimizers on the CPU, by the file of a checkpoint that takes them. They outlive the scope; the caller disposes them.</summary>
    /// <param name="weights">name of the policy's file</param>
    public Dictionary<string, IReadOnlyDictionary<string, Tensor>> Copy(string weights)
    {
        using var scope = NewDisposeScope();
        using var quiet = no_grad();
        var copy = new Dictionary<string, IReadOnlyDictionary<string, Tensor>>(StringComparer.Ordinal) { [weights] = CopyOf(Model.Policy), [CheckpointFolder.Optimizer] = CopyOf(Optimizer.State()) };
        if (Critic?.State() is not { } critic) return copy;
        copy[CheckpointFolder.CriticWeights] = CopyOf(critic.Weights);
        copy[CheckpointFolder.CriticOptimizer] = CopyOf(critic.Optimizer);
        return copy;

        static Dictionary<string, Tensor> CopyOf(IReadOnlyDictionary<string, Tensor> tensors) => tensors.ToDictionary(
            pair => pair.Key, pair => pair.Value.detach().to(CPU, copy: true).DetachFromDisposeScope(), StringComparer.Ordinal);
    }

    public void Dispose()
    {
        Optimizer.Dispose();
        Critic?.Dispose();
        Reference?.Dispose();
        Model.Dispose();
    }
}

/// <param name="Norm">of the gradient before clipping</param>
/// <param name="Skipped">the gradient was not finite and the weights are unchanged</param>
internal readonly record struct UpdateResult(double Norm, double Rate, bool Skipped)
{
    /// <summary>Norm of the critic's gradient before clipping; null where there is none.</summary>
    public double? ValueNorm { get; init; }
}
