using Lateral.Core.Policies;
using Lateral.Core.Prompts;
using Lateral.Core.Rollouts;
using Lateral.Diffusion.Models;
using static TorchSharp.torch;

namespace Lateral.Diffusion.Sampling;

/// <summary>The sampler's state on its device: model, current policy, canvases. Every call is made on the device thread.</summary>
internal sealed class DenoisingEngine : IDisposable
{
    private readonly SamplerSettings _settings;
    private readonly ITokenizer _tokenizer;
    private readonly IUniforms _uniforms;
    private readonly LladaModel _model;
    private readonly CanvasBatch _batch;
    private PolicyManifest? _policy;

    public DenoisingEngine(SamplerSettings settings, ITokenizer tokenizer, IUniforms uniforms, Func<Device, LladaModel> model)
    {
        (_settings, _tokenizer, _uniforms) = (settings, tokenizer, uniforms);
        _model = model(device(settings.Device));
        _batch = new(settings.Slots);
    }

    /// <summary>Whether a step can be taken: there is a policy and a canvas.</summary>
    public bool Ready => _policy is not null && _batch.HasWork;

    public void Enqueue(SampleTask task)
    {
        var selection = SelectionPolicies.ByName(task.Spec.Reveal);
        foreach (var sibling in task.Siblings) _batch.Enqueue(new(task, sibling, selection, _tokenizer));
    }

    public void Cancel(long group) => _batch.Cancel(group);

    public void Load(PolicyManifest manifest, string path)
    {
        PolicyWeights.Load(_model, path);
        _policy = manifest;
    }

    /// <summary>One denoising step of every active canvas.</summary>
    public StepResult Step()
    {
        _batch.Fill();
        var inputs = _settings.Shape is { } shape
            ? StepInputs.Fixed(_batch.Slots, shape, _tokenizer.MaskId, _uniforms)
            : StepInputs.Compact(_batch.Slots, _tokenizer.MaskId, _uniforms);
        var outputs = DenoisingKernel.Run(_model, inputs);
        var tokens = 0;
        foreach (var (canvas, positions, firstDraw) in inputs.Work) tokens += Reveal(canvas, positions, firstDraw, outputs);
        return new(_batch.TakeFinished().ConvertAll(canvas => canvas.ToTrajectory()), inputs.Work.Count, _settings.Shape is null ? inputs.Work.Count : inputs.Canvases, tokens);
    }

    public void Dispose() => _model.Dispose();

    private int Reveal(Canvas canvas, int[] positions, int firstDraw, StepOutputs outputs)
    {
        var probabilities = new float[positions.Length];
        for (var c = 0; c < positions.Length; c++) probabilities[c] = outputs.MaxProbability(firstDraw + c);
        var draws = new double[canvas.Selection.Draws ? positions.Length : 0];
        for (var c = 0; c < draws.Length; c++) draws[c] = _uniforms.Selection(canvas.Evaluation, canvas.Id, canvas.Step, positions[c]);

        var chosen = new int[canvas.Quota];
        var logProb = canvas.Selection.Select(new(probabilities, draws), chosen);
        foreach (var c in chosen)
        {
            var draw = firstDraw + c;
            if (!float.IsFinite(outputs.LogProb(draw)))
                throw new InvalidOperationException($"policy version {_policy!.Version} gives logits that are not finite ({canvas.Id}, step {canvas.Step})");
            canvas.Reveal(positions[c], outputs.Token(draw), outputs.LogProb(draw), outputs.Entropy(draw));
        }

        canvas.EndStep(logProb, _policy!);
        return chosen.Length;
    }
}

/// <param name="Active">canvases that took the step</param>
/// <param name="Computed">canvases in the forward, free slots included where shapes are fixed</param>
/// <param name="Tokens">tokens revealed</param>
internal readonly record struct StepResult(List<Trajectory> Finished, int Active, int Computed, int Tokens);
