using Lateral.Core;
using Lateral.Core.Policies;
using Lateral.Core.Prompts;
using Lateral.Core.Rollouts;
using Lateral.Diffusion.Likelihoods;
using Lateral.Diffusion.Models;
using static TorchSharp.torch;

namespace Lateral.Diffusion.Sampling;

/// <summary>The sampler's state on its device: model, current policy, canvases. Every call is made on the device thread.</summary>
internal sealed class DenoisingEngine : IDisposable
{
    private readonly SamplerSettings _settings;
    private readonly ITokenizer _tokenizer;
    private readonly IUniforms _uniforms;
    private readonly TransformerModel _model;
    private readonly CanvasBatch _batch;
    private readonly SurrogateScorer? _surrogate;
    private readonly StepGuesses? _guesses;
    private PolicyManifest? _policy;

    public DenoisingEngine(SamplerSettings settings, ITokenizer tokenizer, IUniforms uniforms, Func<Device, TransformerModel> model)
    {
        (_settings, _tokenizer, _uniforms) = (settings, tokenizer, uniforms);
        _model = model(device(settings.Device));
        _batch = new(settings.Slots);
        if (settings.Surrogate is { } surrogate)
        {
            var likelihood = LikelihoodCatalogue.Create(surrogate.Likelihood, surrogate.Unit, _model.Spec.EosToken, _model.Spec.MaxLength);
            _surrogate = new(surrogate, likelihood, new PlanKey(new CounterRandom(settings.Seed), settings.FirstPrompt, 0), _model, alone: settings.Shape is not null);
        }

        if (settings.GuessTokens is { } tokens) _guesses = new(_model, tokenizer, tokens, alone: settings.Shape is not null);
    }

    /// <summary>Whether a step can be taken: there is a policy and a canvas.</summary>
    public bool Ready => _policy is not null && _batch.HasWork;

    public void Enqueue(SampleTask task)
    {
        var selection = SelectionPolicies.Of(task.Spec);
        foreach (var sibling in task.Siblings)
        {
            var begun = task.Begun.FirstOrDefault(begun => begun.Id.Sibling == sibling);
            _batch.Enqueue(begun is null ? new(task, sibling, selection, _tokenizer, _uniforms) : new(task, begun, selection, _tokenizer));
        }
    }

    /// <summary>Rollouts of the ledger that have taken a step.</summary>
    public List<RolloutInFlight> InFlight()
    {
        var begun = new List<RolloutInFlight>();
        foreach (var canvas in _batch.Slots)
        {
            if (canvas is { Evaluation: false, Step: > 0 }) begun.Add(canvas.ToInFlight());
        }

        return begun;
    }

    public void Cancel(long group) => _batch.Cancel(group);

    /// <exception cref="PolicyUnavailableException">
    /// the payload is not sound: the old policy stays; or the canary differs: there is none until another is loaded
    /// </exception>
    public void Load(PolicyManifest manifest, string path)
    {
        PolicyWeights.Load(_model, path);
        // The old policy's weights are gone, whatever the new ones turn out to be.
        (_policy, CanaryDifference) = (null, null);
        CanaryDifference = PolicyCanary.Difference(_model, manifest, _settings.CanaryLimit);
        _policy = manifest;
    }

    /// <summary>One denoising step of every active canvas.</summary>
    public StepResult Step()
    {
        var (inputs, outputs) = Forward();
        var chosen = inputs.Work.ConvertAll(work => Choose(work, outputs));
        var factors = Factors(chosen, outputs);
        var tokens = 0;
        foreach (var (index, choice) in chosen.Index()) tokens += Reveal(choice, factors[index], outputs);
        return new(Finished(), inputs.Work.Count, _settings.Shape is null ? inputs.Work.Count : inputs.Canvases, tokens);
    }

    /// <summary>In the order of their slots. What is evaluated is not trained on, so it needs no surrogate and no guesses.</summary>
    private List<Trajectory> Finished()
    {
        var canvases = _batch.TakeFinished();
        var finished = canvases.ConvertAll(canvas => canvas.ToTrajectory());
        if (_surrogate is null && _guesses is null) return finished;
        var trained = Enumerable.Range(0, finished.Count).Where(i => !canvases[i].Evaluation).ToArray();
        IReadOnlyList<Trajectory> complete = [.. trained.Select(i => finished[i])];
        complete = _surrogate?.Score(complete) ?? complete;
        complete = _guesses?.Make(complete) ?? complete;
        foreach (var (i, one) in trained.Zip(complete)) finished[i] = one;
        return finished;
    }

    public void Dispose() => _model.Dispose();

    /// <summary>Canvases denoised at once: as set, or half of it where memory did not suffice.</summary>
    public int Slots => _batch.Slots.Length;

    /// <summary>Of the current policy, in nats per token; null = its manifest has no canary.</summary>
    public double? CanaryDifference { get; private set; }

    /// <exception cref="DeviceMemoryException">half the slots do not fit either, or their number is part of what makes the run repeatable</exception>
    private (StepInputs Inputs, StepOutputs Outputs) Forward()
    {
        try
        {
            return Attempt();
        }
        catch (Exception failure) when (DeviceFaults.Of(failure) == DeviceFault.OutOfMemory)
        {
            if (_settings.Shape is not null || Slots < _settings.Slots || Slots == 1) throw TooLarge(failure);
            // No canvas has taken the step: those that lose their slot go on later from where they are.
            _batch.Halve();
        }

        try
        {
            return Attempt();
        }
        catch (Exception failure) when (DeviceFaults.Of(failure) == DeviceFault.OutOfMemory)
        {
            throw TooLarge(failure);
        }
    }

    private (StepInputs Inputs, StepOutputs Outputs) Attempt()
    {
        _batch.Fill();
        var inputs = _settings.Shape is { } shape
            ? StepInputs.Fixed(_batch.Slots, shape, _tokenizer.MaskId, _uniforms)
            : StepInputs.Compact(_batch.Slots, _tokenizer.MaskId, _uniforms);
        return (inputs, DenoisingKernel.Run(_model, inputs));
    }

    private DeviceMemoryException TooLarge(Exception failure)
    {
        var length = _batch.Slots.ToArray().Max(canvas => canvas?.Ids.Length ?? 0);
        return new($"a denoising step of [{Slots}, {length}] tokens (canvases, length) does not fit the memory of {_settings.Device} - lower topology.roles.sampler.slots ({_settings.Slots} now)", failure);
    }

    private Choice Choose(StepWork work, StepOutputs outputs)
    {
        var (canvas, positions, firstDraw) = work;
        if (canvas.TakesAll) return new(work, [.. Enumerable.Range(0, positions.Length)], 0);
        var certainty = new float[positions.Length];
        for (var c = 0; c < positions.Length; c++) certainty[c] = (float)outputs.Certainty(firstDraw + c);
        var draws = new double[canvas.Selection.Draws ? positions.Length : 0];
        for (var c = 0; c < draws.Length; c++) draws[c] = _uniforms.Selection(canvas.Evaluation, canvas.Id, canvas.Step, positions[c]);

        var candidates = new CandidateStatistics(certainty, draws);
        var chosen = new int[Math.Min(positions.Length, Math.Max(canvas.Quota, canvas.Selection.Dares(candidates)))];
        return new(work, chosen, canvas.Selection.Select(candidates, chosen));
    }

    /// <summary>[choices] what the tokens that stay masked add to the sets' log-probabilities: one question to the device for all of them.</summary>
    private static double[] Factors(List<Choice> choices, StepOutputs outputs)
    {
        var (factors, draws, thresholds, owners) = (new double[choices.Count], new List<int>(), new List<double>(), new List<int>());
        foreach (var (index, choice) in choices.Index())
        {
            var law = choice.Work.Canvas.Selection.Law;
            if (law == SelectionLaw.PlackettLuceSampled) factors[index] = choice.Masked().Sum(draw => (double)outputs.LogProb(draw));
            if (law != SelectionLaw.LowConfidence) continue;
            var least = choice.Chosen.Min(c => outputs.Certainty(choice.Work.FirstDraw + c));
            foreach (var draw in choice.Masked())
            {
                draws.Add(draw);
                thresholds.Add(least);
                owners.Add(index);
            }
        }

        if (draws.Count == 0) return factors;
        foreach (var (owner, factor) in owners.Zip(outputs.LogMassBelow!([.. draws], [.. thresholds]))) factors[owner] += factor;
        return factors;
    }

    private int Reveal(Choice choice, double factor, StepOutputs outputs)
    {
        var ((canvas, positions, firstDraw), chosen, logProb) = choice;
        foreach (var (rank, c) in chosen.Index())
        {
            var draw = firstDraw + c;
            if (!float.IsFinite(outputs.LogProb(draw)))
                throw new InvalidOperationException($"policy version {_policy!.Version} gives logits that are not finite ({canvas.Id}, step {canvas.Step})");
            canvas.Reveal(positions[c], outputs.Token(draw), outputs.LogProb(draw), outputs.Entropy(draw), rank);
        }

        if (canvas.RecordsMasked)
        {
            foreach (var draw in choice.Masked()) canvas.RecordMasked(outputs.Token(draw));
        }

        canvas.EndStep((float)(logProb + factor), _policy!);
        return chosen.Length;
    }

    /// <param name="Chosen">[K] indices of the candidates to reveal</param>
    /// <param name="LogProb">of the choice, without what the masked tokens add</param>
    private readonly record struct Choice(StepWork Work, int[] Chosen, float LogProb)
    {
        /// <summary>Draws of the candidates that stay masked, by position.</summary>
        public IEnumerable<int> Masked()
        {
            var first = Work.FirstDraw;
            return Enumerable.Range(0, Work.Positions.Length).Except(Chosen).Select(c => first + c);
        }
    }
}

/// <param name="Active">canvases that took the step</param>
/// <param name="Computed">canvases in the forward, free slots included where shapes are fixed</param>
/// <param name="Tokens">tokens revealed</param>
internal readonly record struct StepResult(List<Trajectory> Finished, int Active, int Computed, int Tokens);
