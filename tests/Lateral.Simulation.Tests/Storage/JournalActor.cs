using System.Collections.Immutable;
using Akka.Actor;
using Akka.Persistence;

namespace Lateral.Simulation.Tests.Storage;

/// <summary>
/// Akka.Persistence's journal plugin on the simulated database. Its own protocol and not AsyncWriteJournal, whose tasks and
/// circuit breaker run on other threads.
/// </summary>
internal sealed class JournalActor : ReceiveActor
{
    private readonly Journal _journal;

    public JournalActor()
    {
        _journal = SimulatedDatabase.Of(Context.System);
        Receive<WriteMessages>(Write);
        Receive<ReplayMessages>(Replay);
    }

    private void Write(WriteMessages request)
    {
        // What a dead process had not sent is never written; what it had sent may be.
        if (!_journal.IsAlive(request.PersistentActor) && _journal.Stage.Dice.Chance(.5)) return;
        var writes = request.Messages.OfType<AtomicWrite>().Select(write => (IImmutableList<IPersistentRepresentation>)write.Payload).ToArray();
        var (done, answered) = _journal.Fate();
        _journal.Stage.At(_journal.Stage.Dice.Between(TimeSpan.FromMilliseconds(1), TimeSpan.FromMilliseconds(20)), () =>
        {
            Exception? failure = answered ? null : new TimeoutException("the database did not answer");
            foreach (var write in done ? writes : [])
            {
                if (_journal.TryAppend(request.PersistentActor, write[0].PersistenceId, write[0].SequenceNr, [.. write.Select(one => one.Payload)])) continue;
                failure = new InvalidOperationException("UNIQUE constraint failed: journal.persistence_id, journal.sequence_number");
                break;
            }

            Answer(request, failure);
        });
    }

    private static void Answer(WriteMessages request, Exception? failure)
    {
        var to = request.PersistentActor;
        to.Tell(failure is null ? WriteMessagesSuccessful.Instance : new WriteMessagesFailed(failure, request.Messages.Count()), ActorRefs.NoSender);
        foreach (var envelope in request.Messages)
        {
            if (envelope is not AtomicWrite write)
            {
                to.Tell(new LoopMessageSuccess(envelope.Payload, request.ActorInstanceId), envelope.Sender);
                continue;
            }

            foreach (var one in (IImmutableList<IPersistentRepresentation>)write.Payload)
            {
                to.Tell(failure is null ? new WriteMessageSuccess(one, request.ActorInstanceId) : new WriteMessageFailure(one, failure, request.ActorInstanceId), one.Sender);
            }
        }
    }

    private void Replay(ReplayMessages request)
    {
        if (!_journal.IsAlive(request.PersistentActor)) return;
        var (_, answered) = _journal.Fate();
        _journal.Stage.At(_journal.Stage.Dice.Between(TimeSpan.FromMilliseconds(1), TimeSpan.FromMilliseconds(20)), () =>
        {
            var to = request.PersistentActor;
            if (!answered)
            {
                to.Tell(new ReplayMessagesFailure(new TimeoutException("the database did not answer")), ActorRefs.NoSender);
                return;
            }

            var events = _journal.Of(request.PersistenceId);
            _journal.NoteRead(to, events.Count);
            for (var number = Math.Max(1, request.FromSequenceNr); number <= Math.Min(request.ToSequenceNr, events.Count); number++)
            {
                to.Tell(new ReplayedMessage(new Persistent(events[(int)number - 1], number, request.PersistenceId)), ActorRefs.NoSender);
            }

            to.Tell(new RecoverySuccess(events.Count), ActorRefs.NoSender);
        });
    }
}

/// <summary>Akka.Persistence's snapshot plugin on the simulated database.</summary>
internal sealed class SnapshotActor : ReceiveActor
{
    public SnapshotActor()
    {
        var journal = SimulatedDatabase.Of(Context.System);
        Receive<LoadSnapshot>(request =>
        {
            var found = journal.LatestSnapshot(request.PersistenceId, Math.Min(request.Criteria.MaxSequenceNr, request.ToSequenceNr));
            Sender.Tell(new LoadSnapshotResult(
                found is { } snapshot ? new SelectedSnapshot(new SnapshotMetadata(request.PersistenceId, snapshot.Number, DateTime.UnixEpoch), snapshot.State) : null!, request.ToSequenceNr));
        });
        Receive<SaveSnapshot>(request =>
        {
            if (!journal.Fate().Done)
            {
                Sender.Tell(new SaveSnapshotFailure(request.Metadata, new TimeoutException("the database did not answer")));
                return;
            }

            journal.SaveSnapshot(request.Metadata.PersistenceId, request.Metadata.SequenceNr, request.Snapshot);
            Sender.Tell(new SaveSnapshotSuccess(request.Metadata));
        });
    }
}

/// <summary>How the plugins, which Akka makes from their names, find the simulation's database.</summary>
internal sealed class SimulatedDatabase : ExtensionIdProvider<SimulatedDatabase.Holder>
{
    private static readonly SimulatedDatabase Id = new();

    public static void Attach(ActorSystem system, Journal journal) => Id.Apply(system).Journal = journal;

    public static Journal Of(ActorSystem system) => Id.Apply(system).Journal ?? throw new InvalidOperationException("no journal attached to the system");

    public override Holder CreateExtension(ExtendedActorSystem system) => new();

    internal sealed class Holder : IExtension
    {
        public Journal? Journal { get; set; }
    }
}
