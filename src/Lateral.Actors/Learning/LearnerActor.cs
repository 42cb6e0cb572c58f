using System.Collections.Immutable;
using Akka.Actor;
using Lateral.Actors.Runs;
using Lateral.Core.Learning;
using Lateral.Core.Rollouts;
using Lateral.Core.Runs;
using static Lateral.Actors.Runs.RunProtocol;

namespace Lateral.Actors.Learning;

/// <summary>Whom a learner talks to.</summary>
internal sealed record LearnerRefs(IActorRef Run, IActorRef Groups, IActorRef Monitor);

/// <summary>
/// Drives the learner engine: restores what the ledger says, then trains the batches it is told to train. It owns no
/// order and no journal; a step counts only once the ledger has accepted it.
/// </summary>
internal sealed class LearnerActor : ReceiveActor, IWithTimers
{
    private static readonly TimeSpan FetchDeadline = TimeSpan.FromSeconds(10);

    private readonly RunSettings _settings;
    private readonly RunEngines _engines;
    private readonly IActorRef _run;
    private readonly LearnerVoice _voice;
    private readonly ILearner _learner;
    private readonly BatchFetcher _fetcher;
    private readonly ReplayFetcher _replay;
    private readonly StepTiming _timing;
    private readonly string _owner = $"{Environment.MachineName}/{Environment.ProcessId}/{Guid.NewGuid():n}";
    private readonly CancellationTokenSource _stopping = new();
    private int _epoch;
    private int _version;
    private object? _unanswered;
    private Task _recorded = Task.CompletedTask;

    public LearnerActor(RunSettings settings, RunEngines engines, LearnerRefs refs, TimeProvider time)
    {
        (_settings, _engines, _run, _voice) = (settings, engines, refs.Run, new LearnerVoice(refs.Monitor));
        _learner = Start(engines.Learner);
        _fetcher = new BatchFetcher(refs.Groups, FetchDeadline);
        _replay = new ReplayFetcher(refs.Run, FetchDeadline);
        // Two CPU engines with a core each count as dedicated devices.
        var topology = settings.Topology;
        var dedicated = !topology.SamplerDevices.Contains(topology.LearnerDevice) || Environment.ProcessorCount > settings.Compute.Threads;
        // On a CPU a forward of few canvases is as much cheaper, unless fixed shapes fill it up.
        _timing = new StepTiming(time, dedicated, costByRow: !settings.Deterministic && topology.SamplerDevices.All(device => device == "cpu"));
        Connecting();
    }

    public ITimerScheduler Timers { get; set; } = null!;

    protected override void PreStart()
    {
        Timers.StartPeriodicTimer(nameof(Tick), Tick.Instance, TimeSpan.FromSeconds(1));
        Say(new LearnerHello(_owner));
    }

    protected override void PostStop()
    {
        _stopping.Cancel();
        // The engine joins its thread within its own deadline; a failed join ends in that task, not in this actor.
        _ = _learner.DisposeAsync().AsTask();
        _stopping.Dispose();
    }

    private void Connecting()
    {
        Common();
        Receive<LearnerAssignment>(assignment =>
        {
            _unanswered = null;
            _epoch = assignment.Epoch;
            if (assignment.Base is null)
            {
                _voice.Enter(Phase.WarmingUp, "the base");
                _ = PrepareBase().PipeTo(Self);
                Become(PreparingBase);
            }
            else
            {
                _voice.Enter(Phase.Restoring, $"step {assignment.Checkpoint!.Step}");
                _ = Restore(assignment).PipeTo(Self);
                Become(Restoring);
            }
        });
    }

    private void PreparingBase()
    {
        Common();
        Receive<BaseReady>(ready => Say(new BaseCompleted(_epoch, ready)));
        Receive<BaseAccepted>(m => Begin(0, m.Samplers));
    }

    private void Restoring()
    {
        Common();
        Receive<Restored>(restored => Begin(restored.Version, restored.Samplers));
    }

    private void Waiting()
    {
        Common();
        Receive<TrainBatch>(m => m.Epoch == _epoch && m.Batch.Step == _version + 1, Train);
        Receive<CheckpointNow>(_ => Save());
    }

    private void Training()
    {
        Common();
        Receive<Trained>(m =>
        {
            _voice.Enter(Phase.Committing, $"step {m.Report.Step}");
            Say(new StepCompleted(_epoch, m.Report));
            Become(() => Committing(m));
        });
    }

    private void Committing(Trained trained)
    {
        Common();
        Receive<StepAccepted>(m => m.Step == trained.Report.Step, accepted =>
        {
            var due = trained.Report.Step % _settings.Checkpoint.Every == 0 || trained.Report.Step == _settings.Steps;
            // The engine copies its state before it takes the next batch; writing goes on beside training.
            var recording = Record(_recorded, trained.Report, trained.Batch, due);
            _recorded = recording;
            _voice.Recording(accepted.Step, due);
            _ = recording.PipeTo(Self);
            Wait(trained.Report.Step);
        });
    }

    /// <summary>What every state answers to.</summary>
    private void Common()
    {
        Receive<Tick>(_ =>
        {
            if (_unanswered is not null) _run.Tell(_unanswered);
            _voice.Repeat(recording: !_recorded.IsCompleted);
        });
        Receive<Saved>(m => _run.Tell(new CheckpointCompleted(_epoch, m.Checkpoint)));
        Receive<Nothing>(_ => { });
        Receive<LearnerFenced>(m => m.Epoch == _epoch, _ => Fail(new InvalidOperationException("another learner has the run")));
        Receive<Status.Failure>(m => Fail(m.Cause));
    }

    private void Begin(int version, SamplerStatistics samplers)
    {
        _timing.Start(samplers);
        Wait(version);
    }

    private void Wait(int version)
    {
        _version = version;
        _timing.Idle();
        var more = version < _settings.Steps;
        if (more) _voice.Wait(Parts.Ledger, $"batch {version + 1}");
        else _voice.Enter(Phase.Finished);
        Say(new LearnerIdle(_epoch, version));
        Become(Waiting);
    }

    private void Train(TrainBatch command)
    {
        _unanswered = null;
        _timing.Assigned();
        _voice.Enter(Phase.Fetching, $"batch {command.Batch.Step}");
        _ = TrainAsync(command).PipeTo(Self);
        Become(Training);
    }

    private async Task<BaseReady> PrepareBase()
    {
        var (policy, checkpoint) = await _learner.PrepareBaseAsync(new Progress(Warmup), _stopping.Token);
        _voice.Enter(Phase.Evaluating, "the base");
        var ready = new BaseReady(policy, checkpoint, await _engines.Evaluator.EvaluateAsync(policy, full: true, _stopping.Token));
        await _engines.Recorder.RecordBaseAsync(ready, _stopping.Token);
        return ready;
    }

    private void Warmup(WarmupProgress progress)
    {
        _voice.Progress(progress.Step, progress.Steps);
        _engines.Recorder.Warmup(progress);
    }

    /// <summary>Last checkpoint, then every step the journal has after it, from the same trajectories.</summary>
    private async Task<Restored> Restore(LearnerAssignment assignment)
    {
        await _learner.LoadAsync(assignment.Checkpoint!, _stopping.Token);
        await _engines.Recorder.RecordBaseAsync(assignment.Base!, _stopping.Token);
        var version = assignment.Checkpoint!.Step;
        while (version < assignment.Version)
        {
            var (formed, trained) = await _replay.FetchAsync(assignment.Epoch, version + 1, _stopping.Token);
            var batch = await _fetcher.FetchAsync(assignment.Epoch, formed, _settings.Rollout.GroupsPerStep, _stopping.Token);
            var replayed = await _learner.TrainAsync(batch, _stopping.Token);
            var (published, hash) = (trained.Report.Policy.Hash, replayed.Policy.Hash);
            if (hash != published) _run.Tell(new ReplayedDifferently(assignment.Epoch, new ReplayDiverged(formed.Step, published, hash)));
            await _engines.Recorder.RecordStepAsync(trained.Report, batch, _stopping.Token);
            version = formed.Step;
            _voice.Progress(version - assignment.Checkpoint.Step, assignment.Version - assignment.Checkpoint.Step);
        }

        return new Restored(version, assignment.Samplers);
    }

    private async Task<Trained> TrainAsync(TrainBatch command)
    {
        var batch = await _fetcher.FetchAsync(_epoch, command.Batch, command.PlannedGroups, _stopping.Token);
        _voice.Enter(Phase.Training, $"step {batch.Step}");
        var report = await _learner.TrainAsync(batch, _stopping.Token);
        var metrics = _timing.Finish(batch, report, command.Samplers);
        _voice.Stepped(metrics);
        var every = _settings.Evaluation.Every;
        var last = report.Step == _settings.Steps;
        if (last || (every > 0 && report.Step % every == 0))
        {
            _voice.Enter(Phase.Evaluating, $"step {report.Step}");
            metrics = metrics.SetItems(await _engines.Evaluator.EvaluateAsync(report.Policy, full: last, _stopping.Token));
        }

        return new Trained(batch, report with { Metrics = metrics });
    }

    /// <summary>The step's line and rollouts first, its checkpoint after: a committed checkpoint never hides an unrecorded step.</summary>
    private async Task<object> Record(Task before, StepReport report, LearnerBatch batch, bool checkpoint)
    {
        var writing = checkpoint ? _learner.CheckpointAsync(_stopping.Token) : null;
        await before;
        await _engines.Recorder.RecordStepAsync(report, batch, _stopping.Token);
        return writing is null ? Nothing.Instance : new Saved(await writing);
    }

    private void Save()
    {
        var saving = _learner.CheckpointAsync(_stopping.Token);
        _recorded = Task.WhenAll(_recorded, saving);
        _voice.Recording(_version, checkpoint: true);
        _ = saving.PipeTo(Self, success: checkpoint => new Saved(checkpoint));
    }

    /// <summary>Says something that needs an answer, and says it again on every tick until it is answered.</summary>
    private void Say(object message)
    {
        _unanswered = message;
        _run.Tell(message);
    }

    private ILearner Start(Func<ILearner> engine)
    {
        try
        {
            return engine();
        }
        catch (Exception failure)
        {
            // The supervisor tries again; that it fails and why is told to the monitor.
            _voice.Failed(failure);
            throw;
        }
    }

    /// <summary>This incarnation ends; its supervisor starts another, which restores from the ledger.</summary>
    private void Fail(Exception cause)
    {
        if (_stopping.IsCancellationRequested) return;
        _voice.Failed(cause);
        Context.Stop(Self);
    }

    private sealed record Restored(int Version, SamplerStatistics Samplers) : ILocalMessage;

    private sealed record Trained(LearnerBatch Batch, StepReport Report) : ILocalMessage;

    private sealed record Saved(Checkpoint Checkpoint) : ILocalMessage;

    private sealed class Nothing : ILocalMessage
    {
        public static Nothing Instance { get; } = new();
    }

    /// <summary>Calls back on the reporting thread; System.Progress would go through the thread pool and reorder.</summary>
    private sealed class Progress(Action<WarmupProgress> report) : IProgress<WarmupProgress>
    {
        public void Report(WarmupProgress value) => report(value);
    }
}
