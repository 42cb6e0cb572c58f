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

    public void Note(RunProtocol.PoolReport report) => _pools[(report.Pool, report.Node)] = new Heard(report.Trouble, _tick);

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
            return ledger.Pause is null && !ledger.Finished ? new RunPaused($"reward pool {trouble.Key.Pool} does not work: {reason}") { Pool = trouble.Key.Pool } : null;
        // A ledger that was just recovered has heard nothing yet, which is no good news.
        return ledger.Pause?.Pool is { } pool && (_tick > SilentTicks || _pools.Keys.Any(key => key.Pool == pool)) ? new RunResumed() : null;
    }

    private sealed record Heard(string? Trouble, int Tick);
}
