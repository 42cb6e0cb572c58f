using Lateral.Core.Runs;

namespace Lateral.Actors.Runs;

/// <summary>
/// Which reward pools say that their infrastructure fails, by node, and what that means for the ledger. A node that is not heard
/// of for some ticks counts for nothing: its groups ask the others.
/// </summary>
internal sealed class PoolGuard
{
    private const int SilentTicks = 10;

    private readonly Dictionary<(string Pool, string Node), Heard> _pools = [];
    private int _tick;

    public void Note(RunProtocol.PoolReport report) => _pools[(report.Pool, report.Node)] = new Heard(report.Trouble, report.HasAnswered, _tick);

    public void Tick()
    {
        _tick++;
        foreach (var (key, _) in _pools.Where(pair => _tick - pair.Value.Tick > SilentTicks).ToArray()) _pools.Remove(key);
    }

    /// <summary>The pause or its end, or null where the ledger is as it should be.</summary>
    public IRunEvent? Decide(RunLedger ledger)
    {
        var trouble = _pools.OrderBy(pair => pair.Key).FirstOrDefault(pair => pair.Value.Trouble is not null);
        if (trouble.Value?.Trouble is { } reason)
        {
            var pool = trouble.Key.Pool;
            // A pause that a person has to end, or whose own pool goes on failing, says why already; otherwise the next pool's trouble takes its place.
            if (ledger.Finished || (ledger.Pause is { } pause && (pause.Pool is null || IsTroubled(pause.Pool)))) return null;
            return IsFirst(ledger) && !HeardOf(pool).Any(heard => heard.HasAnswered)
                ? new RunPaused($"reward pool {pool} has not valued a single rollout: {reason}")
                : new RunPaused($"reward pool {pool} does not work: {reason}") { Pool = pool };
        }

        return ledger.Pause?.Pool is { } waited && !IsTroubled(waited) ? new RunResumed() : null;
    }

    /// <summary>Nothing has come through all pools yet: what fails now has perhaps never worked, and waiting would not mend it.</summary>
    private static bool IsFirst(RunLedger ledger) => ledger is { Version: 0, Pending: null, Waiting.IsEmpty: true };

    /// <summary>Of a pool that the run waits for. A ledger that was just recovered has heard nothing yet, which is no good news.</summary>
    private bool IsTroubled(string pool) => HeardOf(pool).Select(heard => heard.Trouble is not null).DefaultIfEmpty(_tick <= SilentTicks).Any(troubled => troubled);

    private IEnumerable<Heard> HeardOf(string pool) => _pools.Where(pair => pair.Key.Pool == pool).Select(pair => pair.Value);

    private sealed record Heard(string? Trouble, bool HasAnswered, int Tick);
}
