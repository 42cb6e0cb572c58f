using System.Globalization;
using Npgsql;

namespace Lateral.Chaos.Watching;

/// <summary>What the run has journaled so far, as it looks to whoever asks the database ten times a second.</summary>
/// <param name="Rows">all events</param>
/// <param name="Sampled">ordinals with a trajectory, <paramref name="Scored"/> with a reward</param>
internal sealed record Seen(long Rows, long Issued, int Steps, int Epochs, IReadOnlySet<long> Sampled, IReadOnlySet<long> Scored);

/// <summary>
/// Follows the run's journal in the database itself: log lines die with their process, journaled events do not. It needs
/// no more of an event than its kind and whose it is.
/// </summary>
internal sealed class JournalWatch : IAsyncDisposable
{
    /// <summary>Numbers are given before a row is committed, so a lower one may come later.</summary>
    private const long Overlap = 500;

    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(100);

    private readonly string _connection;
    private readonly string _schemaFile;
    private readonly Func<TimeSpan> _clock;
    private readonly Lock _gate = new();
    private readonly CancellationTokenSource _stopping = new();
    private readonly HashSet<long> _known = [];
    private readonly HashSet<long> _sampled = [];
    private readonly HashSet<long> _scored = [];
    private readonly List<TimeSpan> _steps = [];
    private readonly Task _following;
    private (long Rows, long Issued, int Epochs, long Last) _count;

    /// <param name="schemaFile">names the run's schema once the coordinator has made it</param>
    public JournalWatch(string connection, string schemaFile, Func<TimeSpan> clock)
    {
        (_connection, _schemaFile, _clock) = (connection, schemaFile, clock);
        _following = FollowAsync();
    }

    public Seen Now
    {
        get
        {
            lock (_gate) return new Seen(_count.Rows, _count.Issued, _steps.Count, _count.Epochs, _sampled.ToHashSet(), _scored.ToHashSet());
        }
    }

    /// <summary>Trained steps a second between two moments.</summary>
    public double Rate(TimeSpan from, TimeSpan to)
    {
        lock (_gate) return _steps.Count(at => at >= from && at < to) / (to - from).TotalSeconds;
    }

    /// <returns>when it was so; null = not by the deadline</returns>
    public async Task<TimeSpan?> UntilAsync(Func<Seen, bool> condition, TimeSpan deadline, CancellationToken cancellation)
    {
        var end = _clock() + deadline;
        while (_clock() < end)
        {
            if (condition(Now)) return _clock();
            if (_following.IsFaulted) await _following;
            await Task.Delay(Pause, cancellation);
        }

        return null;
    }

    /// <summary>Once what was committed before the call has been read: a step that a process finished just before its death is not its return.</summary>
    public async Task<Seen> SettledAsync(CancellationToken cancellation)
    {
        await Task.Delay(3 * Pause, cancellation);
        return Now;
    }

    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync();
        await _following.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _stopping.Dispose();
    }

    private async Task FollowAsync()
    {
        while (!_stopping.IsCancellationRequested)
        {
            try
            {
                if (File.Exists(_schemaFile)) await ReadAsync((await File.ReadAllTextAsync(_schemaFile)).Trim());
            }
            catch (NpgsqlException)
            {
                // The server is down, or the table is not there yet: the next look may succeed.
            }

            await Task.Delay(Pause, _stopping.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private async Task ReadAsync(string schema)
    {
        await using var connection = new NpgsqlConnection(_connection);
        await connection.OpenAsync(_stopping.Token);
        // One connection as long as it lives.
        while (!_stopping.IsCancellationRequested)
        {
            await using (var command = new NpgsqlCommand($"SELECT ordering, persistence_id, manifest FROM {schema}.journal WHERE ordering > @from ORDER BY ordering", connection))
            {
                command.Parameters.AddWithValue("from", _count.Last - Overlap);
                await using var reader = await command.ExecuteReaderAsync(_stopping.Token);
                while (await reader.ReadAsync(_stopping.Token)) Note(reader.GetInt64(0), reader.GetString(1), reader.GetString(2));
            }

            await Task.Delay(Pause, _stopping.Token);
        }
    }

    private void Note(long number, string owner, string kind)
    {
        lock (_gate)
        {
            if (!_known.Add(number)) return;
            _count = (_count.Rows + 1, _count.Issued + (kind == "gi1" ? 1 : 0), _count.Epochs + (kind == "ep1" ? 1 : 0), Math.Max(_count.Last, number));
            if (kind == "st1") _steps.Add(_clock());
            if (kind == "tr1") _sampled.Add(OrdinalOf(owner));
            if (kind == "rw1") _scored.Add(OrdinalOf(owner));
        }
    }

    /// <summary>Of <c>group-RUN-17</c>.</summary>
    private static long OrdinalOf(string owner) => long.Parse(owner.AsSpan(owner.LastIndexOf('-') + 1), NumberStyles.None, CultureInfo.InvariantCulture);
}
