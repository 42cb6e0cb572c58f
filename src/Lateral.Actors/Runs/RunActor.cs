using System.Collections.Immutable;
using Akka.Actor;
using Akka.Event;
using Akka.Persistence;
using Lateral.Actors.Rollouts;
using Lateral.Actors.Sampling;
using Lateral.Core.Runs;
using static Lateral.Actors.Runs.RunProtocol;

namespace Lateral.Actors.Runs;

/// <summary>
/// The run's ledger as an actor: it asks <see cref="RunDecisions"/>, persists, applies, acknowledges, publishes. It is the
/// only writer of order. What it tells others is level-triggered: repeated on a tick and derived from the ledger.
/// </summary>
/// <remarks>
/// I1 identity: a group is opened after its GroupIssued is persisted. I3 at most once: a report that was accepted before is
/// acknowledged again and not applied. I4 atomic step: StepTrained comes after the policy is durable and before it is announced.
/// I6 fencing: a lower epoch is refused here, and a stale ledger by the journal's unique key.
/// </remarks>
internal sealed class RunActor : JournaledActor<IRunEvent>, IWithTimers
{
    private static readonly TimeSpan TickInterval = TimeSpan.FromSeconds(1);

    private readonly ILoggingAdapter _log = Context.GetLogger();
    private readonly RunRefs _refs;
    private readonly SamplerTotals _samplers = new();
    private readonly PoolGuard _pools = new();
    private readonly int _snapshotEvery;
    private readonly List<(IActorRef Entity, IRunEvent Outcome)> _finished = [];
    private RunLedger _ledger;
    private IActorRef _learner = ActorRefs.Nobody;
    private bool _learnerIdle;
    private IActorRef? _drainer;

    public RunActor(RunSettings settings, RunRefs refs, JournalGauge gauge, int snapshotEvery = 1000)
        : base($"run-{settings.Name}", gauge)
    {
        (_refs, _snapshotEvery) = (refs, snapshotEvery);
        _ledger = new RunLedger(settings.Ledger);

        // A resume may give the run more steps.
        Recover<SnapshotOffer>(offer => _ledger = (RunLedger)offer.Snapshot with { Settings = settings.Ledger });
        Recover<IRunEvent>(change => _ledger = _ledger.Apply(change));
        Recover<RecoveryCompleted>(_ => Start());

        Command<LearnerHello>(Welcome);
        Command<GetStepToReplay>(Recall);
        Command<BaseCompleted>(AcceptBase);
        Command<LearnerIdle>(NoteIdle);
        Command<StepCompleted>(AcceptStep);
        Command<BatchRefused>(Refuse);
        Command<CheckpointCompleted>(AcceptCheckpoint);
        Command<CheckpointUnreadable>(GoWithout);
        Command<ReplayedDifferently>(m => PersistThen([m.Divergence], () => _log.Warning("{0}", m.Divergence)));
        Command<GroupFinished>(Collect);
        Command<Flush>(_ => AcceptGroups());
        Command<SamplerReport>(_samplers.Note);
        Command<PoolReport>(Guard);
        Command<Resume>(_ => GoOn());
        Command<Drain>(_ => BeginDrain());
        Command<Tick>(_ => Repeat());
        Command<SaveSnapshotSuccess>(_ => { });
        Command<SaveSnapshotFailure>(m => _log.Warning("snapshot at {0} not written: {1}", m.Metadata.SequenceNr, m.Cause.Message));
    }

    public ITimerScheduler Timers { get; set; } = null!;

    private void Start()
    {
        Timers.StartPeriodicTimer(nameof(Tick), Tick.Instance, TickInterval);
        Repeat();
    }

    private void Welcome(LearnerHello hello)
    {
        if (Sender.Equals(_learner))
        {
            Assign();
            return;
        }

        var learner = Sender;
        PersistThen(_ledger.GrantEpoch(hello.Owner).Events, () =>
        {
            (_learner, _learnerIdle) = (learner, false);
            Assign();
        });
    }

    private void Assign() =>
        _learner.Tell(new LearnerAssignment(_ledger.Epoch, _ledger.Base, _ledger.LastCheckpoint, _ledger.Version, _samplers.Sum)
        {
            Earlier = _ledger.Checkpoints.Count > 1 ? _ledger.Checkpoints[^2] : null,
        });

    private void Recall(GetStepToReplay query)
    {
        var step = query.Epoch == _ledger.Epoch ? _ledger.SinceCheckpoint.Find(step => step.Trained.Step == query.Step) : null;
        Sender.Tell(step is null ? new LearnerFenced(query.Epoch) : new StepToReplay(step with { From = _ledger.RollBacks.GetValueOrDefault(query.Step) }));
    }

    private void AcceptBase(BaseCompleted completed)
    {
        if (completed.Epoch != _ledger.Epoch)
        {
            Sender.Tell(new LearnerFenced(completed.Epoch));
            return;
        }

        var learner = Sender;
        ImmutableArray<IRunEvent> events = _ledger.Base is null ? [completed.Ready] : [];
        PersistThen(events, () =>
        {
            learner.Tell(new BaseAccepted(_samplers.Sum));
            Announce();
            Advance();
        });
    }

    /// <exception cref="LedgerException">another has written this run's journal since it was read; recovering reads what that was</exception>
    private void NoteIdle(LearnerIdle idle)
    {
        // A write would tell as well, but there may be nothing to write until the learner goes on.
        if (idle.Epoch > _ledger.Epoch || (idle.Epoch == _ledger.Epoch && (_ledger.Base is null || idle.Version > _ledger.Version)))
            throw new LedgerException($"{idle} is ahead of this ledger's epoch {_ledger.Epoch} and version {_ledger.Version}: another ledger has gone on with the run");
        if (idle.Epoch != _ledger.Epoch) Sender.Tell(new LearnerFenced(idle.Epoch));
        else if (idle.Version == _ledger.Version)
        {
            // Only the learner has the current epoch; a ledger that was started again knows it by that.
            (_learner, _learnerIdle) = (Sender, true);
            Advance();
        }
    }

    private void AcceptStep(StepCompleted completed)
    {
        var learner = Sender;
        var decision = _ledger.Train(new StepTrained(completed.Epoch, completed.Report));
        switch (decision.Refused)
        {
            case Refusal.Duplicate:
                learner.Tell(new StepAccepted(completed.Report.Step));
                break;
            case { } refused:
                _log.Warning("step {0} of epoch {1} is refused as {2}: epoch {3} has the run, at version {4}", completed.Report.Step, completed.Epoch, refused, _ledger.Epoch, _ledger.Version);
                learner.Tell(new LearnerFenced(completed.Epoch));
                break;
            default:
                _learner = learner;
                var consumed = _ledger.Pending!.Groups;
                PersistThen(decision.Events, () =>
                {
                    learner.Tell(new StepAccepted(completed.Report.Step));
                    Announce();
                    foreach (var group in consumed) _refs.Groups.Tell(new GroupProtocol.RetireGroup(group.Ordinal));
                    Advance();
                });
                break;
        }
    }

    private void Refuse(BatchRefused refused)
    {
        if (refused.Epoch != _ledger.Epoch) Sender.Tell(new LearnerFenced(refused.Epoch));
        else if (_ledger.Pause is null && _ledger.Pending?.Step == refused.Step) Decide(new RunPaused(refused.Reason));
    }

    private void AcceptCheckpoint(CheckpointCompleted completed)
    {
        var decision = _ledger.Commit(completed.Epoch, new CheckpointCommitted(completed.Checkpoint));
        if (decision.Refused == Refusal.Stale) Sender.Tell(new LearnerFenced(completed.Epoch));
        PersistThen(decision.Events, Advance);
    }

    private void GoWithout(CheckpointUnreadable unreadable)
    {
        PersistThen(_ledger.Lose(unreadable.Epoch, unreadable.Lost).Events, () => Say(unreadable.Lost.Reason));
    }

    /// <summary>Outcomes that arrive together are journaled together: the flush comes after what is in the mailbox now.</summary>
    private void Collect(GroupFinished finished)
    {
        if (_finished.Count == 0) Self.Tell(Flush.Instance);
        _finished.Add((Sender, finished.Outcome));
    }

    private void AcceptGroups()
    {
        var events = ImmutableArray.CreateBuilder<IRunEvent>();
        var entities = new Dictionary<long, IActorRef>();
        foreach (var (entity, outcome) in _finished)
        {
            var (ordinal, decision) = outcome switch
            {
                GroupCompleted completed => (completed.Ordinal, _ledger.Complete(completed)),
                GroupFiltered filtered => (filtered.Ordinal, _ledger.Filter(filtered)),
                var other => throw new InvalidOperationException($"{other} is not a group's outcome"),
            };
            // An entity that repeated itself within one flush is counted once.
            if (entities.TryAdd(ordinal, entity)) events.AddRange(decision.Events);
        }

        _finished.Clear();
        PersistThen(events.ToImmutable(), () =>
        {
            foreach (var (ordinal, entity) in entities)
            {
                if (_ledger.IsRetired(ordinal)) entity.Tell(new GroupProtocol.RetireGroup(ordinal));
            }

            Advance();
        });
    }

    /// <summary>Everything the ledger allows next: issue groups, form the batch, give it to the learner.</summary>
    private void Advance()
    {
        if (_drainer is not null)
        {
            FinishDrain();
        }
        else if (_ledger.AnswerSkips() is { } answer)
        {
            Decide(answer);
        }
        else if (_ledger.AnswerSpike() is { IsEmpty: false } spike)
        {
            Decide(spike);
        }
        else if (_ledger.Admit() is { IsEmpty: false } issued)
        {
            PersistThen([.. issued], () =>
            {
                foreach (var group in issued) Open(group.Ordinal, group.Version);
                Advance();
            });
        }
        else if (_ledger.FormBatch() is { } batch)
        {
            PersistThen([batch], Advance);
        }
        else if (_learnerIdle && _ledger.Pending is { } pending)
        {
            _learnerIdle = false;
            _learner.Tell(new TrainBatch(_ledger.Epoch, pending, _ledger.Settings.GroupsPerStep, _samplers.Sum)
            {
                From = _ledger.RollBacks.GetValueOrDefault(pending.Step),
            });
        }

        _refs.Monitor.Tell(LedgerStatus.Of(_ledger, draining: _drainer is not null));
    }

    private void Repeat()
    {
        _pools.Tick();
        if (_pools.Decide(_ledger) is { } change)
        {
            Decide(change);
            return;
        }

        Announce();
        foreach (var group in _ledger.Running.Values) Open(group.Ordinal, group.Version);
        // The last step's checkpoint report may have been lost; every earlier one is made up for by the next.
        if (_ledger.Finished && _learnerIdle && !_ledger.Saved) _learner.Tell(new CheckpointNow());
        Advance();
    }

    private void Open(long ordinal, int version) =>
        _refs.Groups.Tell(new GroupProtocol.OpenGroup(ordinal, version, _ledger.Settings.Deterministic));

    private void Announce()
    {
        if (_ledger.Policies.IsEmpty) return;
        _refs.Dispatcher.Tell(new SamplingProtocol.PoliciesPublished([.. _ledger.Policies.Values]));
        _refs.Publisher.Tell(new Policies.PolicyPublisherActor.Retain(_ledger.Policies.Keys.First()));
    }

    private void Guard(PoolReport report)
    {
        _pools.Note(report);
        if (_pools.Decide(_ledger) is { } change) Decide(change);
    }

    /// <summary>A decision that nobody asked for: journaled, told to the user, and acted on.</summary>
    private void Decide(params ImmutableArray<IRunEvent> changes) => PersistThen(changes, () =>
    {
        // What follows from a spike repeats its reason.
        Say(changes[^1] switch
        {
            RolledBack e => $"{e.Reason}: step {e.Step} begins with the weights of step {e.To.Step} again, and the groups of the steps between are quarantined",
            RunPaused e => $"paused: {e.Reason}",
            RunResumed => "goes on: the reward pool answers again",
            SpikeSeen e => $"{e.Reason}; learner.spikes.answer says what to do then",
            var change => $"{change}",
        });
        Advance();
    });

    private void Say(string text)
    {
        _log.Warning("{0}", text);
        _refs.Monitor.Tell(new Notice(text));
    }

    private void GoOn()
    {
        var asker = Sender;
        PersistThen(_ledger.Resume().Events, () =>
        {
            Advance();
            asker.Tell(new Resumed());
        });
    }

    private void BeginDrain()
    {
        _drainer = Sender;
        Advance();
    }

    /// <summary>Drained: no step is being trained and the last one is in a checkpoint (or there is nothing to save).</summary>
    private void FinishDrain()
    {
        var training = !_learnerIdle && _ledger.Pending is not null && !_learner.IsNobody();
        if (training) return;
        if (_ledger.Base is not null && !_ledger.Saved) _learner.Tell(new CheckpointNow());
        else _drainer!.Tell(new Drained(_ledger.Version));
    }

    protected override void Apply(IRunEvent change)
    {
        _ledger = _ledger.Apply(change);
        if (LastSequenceNr % _snapshotEvery == 0) SaveSnapshot(_ledger);
    }

    private sealed class Flush : INoSerializationVerificationNeeded
    {
        public static Flush Instance { get; } = new();
    }
}

/// <summary>Whom the ledger talks to.</summary>
/// <param name="Groups">the shard region of group entities</param>
/// <param name="Dispatcher">the work dispatcher</param>
/// <param name="Publisher">the policy publisher of the learner's node</param>
/// <param name="Monitor">hears what every part says of itself</param>
internal sealed record RunRefs(IActorRef Groups, IActorRef Dispatcher, IActorRef Publisher, IActorRef Monitor);
