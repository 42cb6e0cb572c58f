using System.Collections.Immutable;
using Akka.Actor;
using Lateral.Actors.Hosting;
using Lateral.Actors.Runs;
using Lateral.Core;
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
    private readonly LearnerRecovery _recovery;
    private readonly StepTiming _timing;
    private readonly string _owner = $"{Environment.MachineName}/{Environment.ProcessId}/{Guid.NewGuid():n}";
    private readonly CancellationTokenSource _stopping = new();
    private int _epoch;
    private int _version;
    private bool _checkpointOwed;
    private int _flatSteps;
    private object? _unanswered;
    private Task _recorded = Task.CompletedTask;

    public LearnerActor(RunSettings settings, RunEngines engines, LearnerRefs refs, TimeProvider time)
    {
        (_settings, _engines, _run, _voice) = (settings, engines, refs.Run, new LearnerVoice(refs.Monitor));
        _learner = Start(engines.Learner);
        _fetcher = new BatchFetcher(refs.Groups, FetchDeadline);
        _recovery = new LearnerRecovery(settings, engines, _learner, _fetcher, new ReplayFetcher(refs.Run, FetchDeadline), refs.Run, _voice);
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
                _ = _recovery.RestoreAsync(assignment, _stopping.Token).PipeTo(Self);
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
        Receive<LearnerRecovery.Restored>(restored => Begin(restored.Version, restored.Samplers));
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
        Receive<BatchRefused>(refused =>
        {
            // Said until somebody stops the run: the ledger pauses at the first.
            Say(refused);
            Become(Common);
        });
        Receive<Trained>(m =>
        {
            Failpoint.Reach("before-commit");
            if (Failpoint.Take("stale-commit") is not null)
            {
                ReportTooLate(new StepCompleted(_epoch, m.Report));
                return;
            }

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
            Failpoint.Reach("after-commit");
            var due = IsCheckpointDue(trained.Report);
            _recorded = Record(_recorded, () => _engines.Recorder.RecordStepAsync(trained.Report, trained.Batch, _stopping.Token), due);
            _voice.Recording(accepted.Step, due);
            Wait(trained.Report.Step);
        });
    }

    /// <summary>A skipped step waits with its checkpoint: the last one stays that of the weights before, to which a roll back goes.</summary>
    private bool IsCheckpointDue(StepReport report)
    {
        _checkpointOwed |= report.Step % _settings.Checkpoint.Every == 0;
        var due = report.Step == _settings.Steps || (_checkpointOwed && !report.Skipped);
        _checkpointOwed &= !due;
        return due;
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
        _ = FetchAndTrainAsync(command).PipeTo(Self);
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

    private async Task<object> FetchAndTrainAsync(TrainBatch command)
    {
        var batch = await _fetcher.FetchAsync(_epoch, command.Batch, command.PlannedGroups, _stopping.Token) with { From = command.From };
        return _settings.RefusesConstantRewards && ConstantRewards.Refusal(batch) is { } reason ? new BatchRefused(_epoch, batch.Step, reason) : await TrainAsync(command, batch);
    }

    private async Task<Trained> TrainAsync(TrainBatch command, LearnerBatch batch)
    {
        _voice.Enter(Phase.Training, $"step {batch.Step}");
        var report = await _learner.TrainAsync(batch, _stopping.Token);
        if (report.Decision?.MicroBatches is [.., var first, var second] && second.Tokens < first.Tokens)
            _voice.Notice($"step {report.Step} ran out of memory: micro-batches hold {second.Tokens} tokens instead of {first.Tokens} from here on; lower learner.micro-batch-tokens");
        if (ConstantRewards.IsFlat(batch)) _flatSteps++;
        if (ConstantRewards.Notice(batch, _flatSteps) is { } flat) _voice.Notice(flat);
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

    /// <summary>
    /// The step's line and rollouts first, its checkpoint after: a committed checkpoint never hides an unrecorded step. The
    /// engine copies its state before it takes the next batch; writing goes on beside training.
    /// </summary>
    private async Task Record(Task before, Func<Task> step, bool checkpoint)
    {
        var self = Self;
        try
        {
            var writing = checkpoint ? _learner.CheckpointAsync(_stopping.Token) : null;
            await before;
            await step();
            if (writing is not null) self.Tell(new Saved(await writing));
        }
        catch (Exception failure)
        {
            self.Tell(new Status.Failure(failure));
            throw;
        }
    }

    /// <summary>Asked for again and again until it is committed; whatever is being written comes first, and is perhaps what is asked for.</summary>
    private void Save()
    {
        if (!_recorded.IsCompleted) return;
        _recorded = Record(_recorded, () => Task.CompletedTask, checkpoint: true);
        _voice.Recording(_version, checkpoint: true);
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
        DeviceLost.PublishIfSticky(Context.System, Parts.Learner, cause);
        _voice.Failed(cause);
        Context.Stop(Self);
    }

    /// <summary>For the failpoint: another incarnation has the run before this one's report arrives, which the ledger then has to refuse.</summary>
    private void ReportTooLate(StepCompleted report)
    {
        Context.System.Scheduler.ScheduleTellOnce(TimeSpan.FromSeconds(5), _run, report, ActorRefs.NoSender);
        Fail(new InvalidOperationException("failpoint: stale-commit"));
    }

    private sealed record Trained(LearnerBatch Batch, StepReport Report) : ILocalMessage;

    private sealed record Saved(Checkpoint Checkpoint) : ILocalMessage;

    /// <summary>Calls back on the reporting thread; System.Progress would go through the thread pool and reorder.</summary>
    private sealed class Progress(Action<WarmupProgress> report) : IProgress<WarmupProgress>
    {
        public void Report(WarmupProgress value) => report(value);
    }
}
