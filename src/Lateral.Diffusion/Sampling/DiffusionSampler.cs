using System.Diagnostics;
using System.Runtime.ExceptionServices;
using System.Threading.Channels;
using Lateral.Core.Policies;
using Lateral.Core.Prompts;
using Lateral.Core.Rollouts;
using Lateral.Diffusion.Models;
using Lateral.Diffusion.Tensors;
using TorchSharp;

namespace Lateral.Diffusion.Sampling;

/// <summary>
/// Denoises prompts into trajectories on one device: a continuous batch of canvases, one step of all of them per forward,
/// policies swapped between two steps.
/// </summary>
/// <remarks>
/// Work items of the device thread are: enqueue, cancel, swap, step. A step posts the next one behind whatever arrived
/// meanwhile, so control is never starved by denoising. The first failure ends the engine: it completes the channel of
/// finished trajectories and is thrown by every later call.
/// </remarks>
public sealed class DiffusionSampler : ISampler
{
    /// <summary>A step of a large model on a busy machine ends well within it.</summary>
    private static readonly TimeSpan StopDeadline = TimeSpan.FromSeconds(30);

    private readonly SamplerSettings _settings;
    private readonly int _vocabulary;
    private readonly DeviceThread _thread;
    private readonly Channel<Trajectory> _finished = Channel.CreateUnbounded<Trajectory>(new() { SingleWriter = true });
    private readonly Lock _gate = new();

    // Of the device thread.
    private DenoisingEngine? _engine;
    private bool _stepPosted, _stopped;

    // Under _gate.
    private SamplerStatistics _statistics = SamplerStatistics.Zero;
    private long? _idleSince = Stopwatch.GetTimestamp();
    private EngineFailedException? _failure;

    private int _disposed;

    public DiffusionSampler(SamplerSettings settings, ITokenizer tokenizer, PolicyNetwork network)
        : this(settings, tokenizer, device => network.Build(device, trainable: false), vocabulary: network.Spec.Vocabulary)
    {
    }

    /// <param name="model">builds the policy network on a device; runs on the device thread. The first swap gives it its weights.</param>
    /// <param name="uniforms">null = keyed by the run's seed and the prompt</param>
    /// <param name="vocabulary">rows of the embedding, of which published models have more than tokens; null = the tokenizer's</param>
    internal DiffusionSampler(SamplerSettings settings, ITokenizer tokenizer, Func<torch.Device, TransformerModel> model, IUniforms? uniforms = null, int? vocabulary = null)
    {
        if (settings.Slots < 1) throw new ArgumentException($"a sampler needs at least one slot, not {settings.Slots}", nameof(settings));
        (_settings, _vocabulary) = (settings, vocabulary ?? tokenizer.VocabularySize);
        _thread = new($"sampler on {settings.Device}", StopDeadline);
        _ = _thread.Run(Guarded(() => _engine = new(settings, tokenizer, uniforms ?? new CounterUniforms(settings.Seed, settings.FirstPrompt), model)));
    }

    public SamplerStatistics Statistics
    {
        get
        {
            lock (_gate)
            {
                return _idleSince is { } since ? _statistics with { IdleSeconds = _statistics.IdleSeconds + Seconds(since) } : _statistics;
            }
        }
    }

    /// <exception cref="ArgumentException">the task's shape, tokens or reveal rule cannot be denoised here; says why</exception>
    public void Submit(SampleTask task)
    {
        ThrowIfFailed();
        RequireDenoisable(task);
        _ = _thread.Run(Guarded(() => _engine!.Enqueue(task)));
    }

    public void Cancel(long group)
    {
        ThrowIfFailed();
        _ = _thread.Run(Guarded(() => _engine!.Cancel(group)));
    }

    /// <exception cref="PolicyUnavailableException">
    /// the payload is missing, has another hash or is not sound: the engine goes on under its old policy; or the canary differs: it
    /// computes nothing until another swap succeeds
    /// </exception>
    public async Task SwapAsync(PolicyManifest manifest, string path)
    {
        ThrowIfFailed();
        await PolicyWeights.VerifyAsync(manifest, path).ConfigureAwait(false);
        PolicyUnavailableException? refused = null;
        await _thread.Run(Guarded(() =>
        {
            var start = Stopwatch.GetTimestamp();
            try
            {
                _engine!.Load(manifest, path);
            }
            catch (PolicyUnavailableException refusal)
            {
                refused = refusal;
            }

            lock (_gate) _statistics = _statistics with { SwapSeconds = _statistics.SwapSeconds + Seconds(start), CanaryDifference = _engine!.CanaryDifference };
        })).ConfigureAwait(false);
        ThrowIfFailed();
        if (refused is not null) ExceptionDispatchInfo.Throw(refused);
    }

    public async Task<IReadOnlyList<RolloutInFlight>> InFlightAsync()
    {
        ThrowIfFailed();
        IReadOnlyList<RolloutInFlight> begun = [];
        await _thread.Run(Guarded(() => begun = _engine!.InFlight())).ConfigureAwait(false);
        return begun;
    }

    public async Task<IReadOnlyList<Trajectory>> NextFinishedAsync(CancellationToken cancellation)
    {
        var open = await _finished.Reader.WaitToReadAsync(cancellation).ConfigureAwait(false);
        ObjectDisposedException.ThrowIf(!open, this);
        var finished = new List<Trajectory>();
        while (_finished.Reader.TryRead(out var trajectory)) finished.Add(trajectory);
        return finished;
    }

    /// <exception cref="TimeoutException">the device thread is stuck in a step</exception>
    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _disposed, 1) != 0) return;
        _finished.Writer.TryComplete();
        try
        {
            await _thread.Run(() =>
            {
                _stopped = true;
                _engine?.Dispose();
            }).WaitAsync(StopDeadline).ConfigureAwait(false);
        }
        finally
        {
            _thread.Dispose();
        }
    }

    private static double Seconds(long since) => Stopwatch.GetElapsedTime(since).TotalSeconds;

    private void Step()
    {
        _stepPosted = false;
        // A cancellation may have emptied the batch since this step was posted.
        if (!_engine!.Ready) return;
        var start = Stopwatch.GetTimestamp();
        var result = _engine.Step();
        lock (_gate)
        {
            _statistics += new SamplerStatistics(Seconds(start), 0, 0, 1, result.Active, result.Computed, result.Tokens, result.Finished.Count);
            _statistics = _statistics with { Slots = _engine.Slots, CanaryDifference = _engine.CanaryDifference };
        }

        foreach (var trajectory in result.Finished) _finished.Writer.TryWrite(trajectory);
    }

    /// <summary>Wraps a work item: its failure ends the engine, and after it the next step is posted where there is one to take.</summary>
    private Action Guarded(Action work) => () =>
    {
        if (_stopped || _failure is not null) return;
        try
        {
            work();
            Continue();
        }
        catch (Exception error)
        {
            var failure = new EngineFailedException($"sampler on {_settings.Device}", error);
            lock (_gate) _failure = failure;
            _finished.Writer.TryComplete(failure);
        }
    };

    private void Continue()
    {
        var ready = _engine!.Ready;
        lock (_gate)
        {
            if (ready && _idleSince is { } since)
            {
                _statistics = _statistics with { IdleSeconds = _statistics.IdleSeconds + Seconds(since) };
                _idleSince = null;
            }
            else if (!ready)
            {
                _idleSince ??= Stopwatch.GetTimestamp();
            }
        }

        if (!ready || _stepPosted) return;
        _stepPosted = true;
        _ = _thread.Run(Guarded(Step));
    }

    private void ThrowIfFailed()
    {
        lock (_gate)
        {
            if (_failure is not null) throw new EngineFailedException($"sampler on {_settings.Device}", _failure.InnerException!);
        }
    }

    private void RequireDenoisable(SampleTask task)
    {
        DenoisingPlan.Validate(task.Spec);
        _ = SelectionPolicies.Of(task.Spec);
        var length = task.Prompt.Tokens.Length + task.Spec.GenLength;
        if (_settings.Shape is { } shape && (length > shape.CanvasLength || task.Spec.BlockLength > shape.BlockLength))
        {
            throw new ArgumentException(
                $"group {task.Group}: {length} tokens in blocks of {task.Spec.BlockLength} do not fit the fixed shape of {shape.CanvasLength} tokens in blocks of {shape.BlockLength}",
                nameof(task));
        }

        foreach (var begun in task.Begun)
        {
            if (begun.SoFar.Tokens.Length != task.Spec.GenLength || begun.Step >= task.Spec.Steps)
                throw new ArgumentException($"{begun.Id}: a canvas of {begun.SoFar.Tokens.Length} tokens after {begun.Step} steps does not go on as {task.Spec.GenLength} tokens in {task.Spec.Steps} steps", nameof(task));
            var masked = RevealRules.ByName(task.Spec.Reveal).RecordsMasked ? StepCandidates.MaskedDraws(begun.SoFar, task.Spec.BlockLength) : 0;
            if (begun.SoFar.MaskedDraws.Length != masked)
                throw new ArgumentException($"{begun.Id}: a canvas with {begun.SoFar.MaskedDraws.Length} draws that stayed masked does not go on with reveal = {task.Spec.Reveal}, which has {masked} after {begun.Step} steps", nameof(task));
        }

        foreach (var token in task.Prompt.Tokens.Concat(task.Begun.SelectMany(begun => begun.SoFar.Tokens)))
        {
            if ((uint)token >= (uint)_vocabulary)
                throw new ArgumentException($"group {task.Group}: token {token} is outside the vocabulary of {_vocabulary}", nameof(task));
        }
    }
}
