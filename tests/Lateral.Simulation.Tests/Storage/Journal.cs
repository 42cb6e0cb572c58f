using Akka.Actor;
using Lateral.Simulation.Tests.Machine;

namespace Lateral.Simulation.Tests.Storage;

/// <summary>
/// The database: what it holds survives every crash. It has the one constraint that fences a stale writer, unique
/// (persistence id, sequence number), and now and then it fails, before or after it wrote.
/// </summary>
internal sealed class Journal(Stage stage)
{
    private readonly Dictionary<string, List<object>> _events = new(StringComparer.Ordinal);
    private readonly Dictionary<string, SortedDictionary<long, object>> _snapshots = new(StringComparer.Ordinal);
    private readonly Dictionary<IActorRef, long> _knows = [];

    /// <summary>Probability that a call fails.</summary>
    public double Failures { get; set; }

    /// <summary>Planted bug: a table without its unique key, which appends whoever writes.</summary>
    public bool WithoutUniqueKey { get; init; }

    /// <summary>Planted bug: some writes are acknowledged and never made.</summary>
    public bool AcknowledgesUnwritten { get; init; }

    /// <summary>Called with each event as it becomes durable.</summary>
    public Action<string, object>? Written { get; set; }

    public Func<IActorRef, bool> IsAlive { get; set; } = _ => true;

    public Stage Stage => stage;

    public IReadOnlyList<object> Of(string persistenceId) => _events.TryGetValue(persistenceId, out var events) ? events : [];

    /// <summary>Whether the actor has read or written everything there is: a writer that was superseded has not.</summary>
    public bool IsUpToDate(IActorRef writer, string persistenceId) => _knows.GetValueOrDefault(writer, -1) == Of(persistenceId).Count;

    /// <summary>Whether the call reaches the database, and whether its answer reaches the caller.</summary>
    public (bool Done, bool Answered) Fate() =>
        !stage.Dice.Chance(Failures) ? (true, true) : stage.Dice.Chance(.5) ? (true, false) : (false, false);

    /// <returns>false when another has written that number before</returns>
    public bool TryAppend(IActorRef writer, string persistenceId, long first, IReadOnlyList<object> events)
    {
        if (!_events.TryGetValue(persistenceId, out var log)) _events[persistenceId] = log = [];
        if (first != log.Count + 1 && !WithoutUniqueKey)
        {
            stage.Trace.Add(stage.Now, "refused", persistenceId, events[0]);
            return false;
        }

        if (AcknowledgesUnwritten && stage.Dice.Chance(.05)) return true;
        foreach (var change in events)
        {
            log.Add(change);
            stage.Trace.Add(stage.Now, "journal", persistenceId, change);
            Written?.Invoke(persistenceId, change);
        }

        _knows[writer] = log.Count;
        return true;
    }

    public void NoteRead(IActorRef reader, long highest) => _knows[reader] = highest;

    public void SaveSnapshot(string persistenceId, long number, object state)
    {
        if (!_snapshots.TryGetValue(persistenceId, out var snapshots)) _snapshots[persistenceId] = snapshots = [];
        snapshots[number] = state;
    }

    public (long Number, object State)? LatestSnapshot(string persistenceId, long atMost)
    {
        if (!_snapshots.TryGetValue(persistenceId, out var snapshots)) return null;
        var found = snapshots.LastOrDefault(pair => pair.Key <= atMost);
        return found.Value is null ? null : (found.Key, found.Value);
    }
}
