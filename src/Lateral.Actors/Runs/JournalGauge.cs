using System.Collections.Concurrent;
using Akka.Pattern;
using Lateral.Core.Runs;

namespace Lateral.Actors.Runs;

/// <summary>
/// How long writes to the journal take and whether they fail. A persistent actor answers nobody while it persists, so this is
/// shared memory and not a message: it can be read exactly when a write hangs.
/// </summary>
internal sealed class JournalGauge(TimeProvider time)
{
    private readonly ConcurrentDictionary<string, long> _writing = new(StringComparer.Ordinal);
    private readonly Lock _gate = new();
    private volatile Row? _failing;

    public void Begin(string persistenceId) => _writing[persistenceId] = time.GetTimestamp();

    public void End(string persistenceId)
    {
        Drop(persistenceId);
        if (_failing is not null) _failing = null;
    }

    /// <summary>The actor is gone; whether its write was done is not known.</summary>
    public void Drop(string persistenceId) => _writing.TryRemove(persistenceId, out _);

    public void Fail(string persistenceId, Exception cause)
    {
        Drop(persistenceId);
        var root = cause.GetBaseException();
        lock (_gate)
        {
            // An open circuit breaker only repeats that something failed before.
            var reason = _failing is { } before && root is OpenCircuitException ? before.Reason : root.Message;
            _failing = new Row(reason, (_failing?.Count ?? 0) + 1, _failing?.Since ?? time.GetTimestamp());
        }
    }

    public PartStatus Read()
    {
        var oldest = _writing.Values.DefaultIfEmpty(time.GetTimestamp()).Min();
        var status = new PartStatus(Parts.Journal, _writing.IsEmpty ? Phase.Idle : Phase.Persisting)
            .With(Figures.InFlight, _writing.Count)
            .With(Figures.OldestSeconds, time.GetElapsedTime(oldest).TotalSeconds);
        return _failing is { } row ? status with { Fault = new PartFault(row.Reason, row.Count, time.GetElapsedTime(row.Since).TotalSeconds) } : status;
    }

    private sealed record Row(string Reason, int Count, long Since);
}
