using Lateral.Core.Runs;
using Lateral.Node.Runs;

namespace Lateral.Node.Sessions;

/// <summary>
/// Writes a run's <c>status.json</c> about once a second, from before its actors start until it has ended. A status that
/// cannot be written never hurts the run; it is said once.
/// </summary>
internal sealed class StatusWriter : IAsyncDisposable
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);

    private readonly RunDirectory _directory;
    private readonly TimeProvider _time;
    private readonly Action<string> _note;
    private readonly CancellationTokenSource _done = new();
    private Task _loop = Task.CompletedTask;
    private RunStatus? _last;
    private bool _failing;

    /// <param name="note">where the user is told</param>
    public StatusWriter(RunDirectory directory, Action<string> note, TimeProvider time)
    {
        (_directory, _note, _time) = (directory, note, time);
        Write(null);
    }

    /// <summary>Follows the started run.</summary>
    public void Follow(Func<Task<RunStatus>> status) => _loop = LoopAsync(status);

    /// <summary>The last word: how the run ended. On a full disk it is shorter and takes the place of the status before it.</summary>
    public async Task EndAsync(RunEnd end)
    {
        await StopAsync();
        if (Write(end)) return;
        _last = _last is { } last ? last with { Parts = [] } : null;
        Write(end, inPlace: true);
    }

    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        _done.Dispose();
    }

    private async Task StopAsync()
    {
        if (!_done.IsCancellationRequested) await _done.CancelAsync();
        await _loop;
    }

    private async Task LoopAsync(Func<Task<RunStatus>> status)
    {
        while (!_done.IsCancellationRequested)
        {
            try
            {
                _last = await status().WaitAsync(_done.Token);
                Write(null);
            }
            catch (Exception silent) when (silent is TimeoutException or OperationCanceledException)
            {
                // Nobody answers: a status that grows old tells so, a fresh one would lie.
            }

            await Task.Delay(Interval, _time, _done.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private bool Write(RunEnd? end, bool inPlace = false)
    {
        try
        {
            var status = new StatusFile(_time.GetUtcNow(), Environment.ProcessId, Environment.MachineName, end, _last);
            if (inPlace) status.WriteInPlace(_directory);
            else status.Write(_directory);
            _failing = false;
            return true;
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            if (!_failing) _note($"{_directory.LiveStatus} cannot be written ({error.Message}); '{Commands.Program} why {_directory.Name}' will know less");
            _failing = true;
            return false;
        }
    }
}
