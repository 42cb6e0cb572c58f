using System.Collections.Immutable;
using Akka.Persistence;

namespace Lateral.Actors.Runs;

/// <summary>An actor whose state is a fold over events of one kind in the journal.</summary>
internal abstract class JournaledActor<TEvent>(string persistenceId, JournalGauge gauge) : ReceivePersistentActor
    where TEvent : class
{
    public override string PersistenceId { get; } = persistenceId;

    /// <summary>The fold's step.</summary>
    protected abstract void Apply(TEvent change);

    /// <summary>Persist, then apply, then go on. Commands are stashed until the last handler has run.</summary>
    protected void PersistThen(ImmutableArray<TEvent> events, Action then)
    {
        if (events.IsEmpty)
        {
            then();
            return;
        }

        var left = events.Length;
        gauge.Begin(PersistenceId);
        PersistAll(events, change =>
        {
            Apply(change);
            if (--left > 0) return;
            gauge.End(PersistenceId);
            then();
        });
    }

    protected override void OnPersistFailure(Exception cause, object @event, long sequenceNr)
    {
        gauge.Fail(PersistenceId, cause);
        base.OnPersistFailure(cause, @event, sequenceNr);
    }

    protected override void OnPersistRejected(Exception cause, object @event, long sequenceNr)
    {
        gauge.Fail(PersistenceId, cause);
        base.OnPersistRejected(cause, @event, sequenceNr);
    }

    protected override void OnRecoveryFailure(Exception reason, object? message = null)
    {
        gauge.Fail(PersistenceId, reason);
        base.OnRecoveryFailure(reason, message);
    }

    protected override void PostStop()
    {
        gauge.Drop(PersistenceId);
        base.PostStop();
    }
}
