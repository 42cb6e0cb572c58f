using Microsoft.Data.Sqlite;

namespace Lateral.Actors.Hosting;

/// <summary>
/// Copies the journal at once, every <c>journal.backup-every</c>, and once more at the end, on a thread of its own. A copy that fails is
/// told, once for each cause until one has worked again, and hurts the run in no other way.
/// </summary>
internal sealed class BackupSchedule : IAsyncDisposable
{
    /// <summary>For one copy before the user is told, and for the last one before the process goes on without it.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);

    private readonly JournalBackup _backup;
    private readonly Action<string> _tell;
    private readonly CancellationTokenSource _ending = new();
    private readonly Lazy<Task> _ended;
    private readonly Task _loop;
    private (Type Kind, int Code)? _told;
    private bool _toldSlow;

    /// <param name="tell">where the user is told</param>
    public BackupSchedule(JournalBackup backup, Action<string> tell, TimeProvider time)
    {
        (_backup, _tell) = (backup, tell);
        _loop = Task.Run(() => LoopAsync(time));
        _ended = new Lazy<Task>(EndAsync);
    }

    /// <summary>After the last event was written. Idempotent.</summary>
    public async ValueTask DisposeAsync() => await _ended.Value;

    private async Task LoopAsync(TimeProvider time)
    {
        using var timer = new PeriodicTimer(_backup.Every, time);
        do
        {
            var copying = CopyAsync();
            try
            {
                await copying.WaitAsync(Patience, time);
            }
            catch (TimeoutException)
            {
                TellSlow();
            }

            await copying;
        }
        while (await NextAsync(timer));
    }

    private async ValueTask<bool> NextAsync(PeriodicTimer timer)
    {
        try
        {
            return await timer.WaitForNextTickAsync(_ending.Token);
        }
        catch (OperationCanceledException)
        {
            return false;
        }
    }

    private async Task EndAsync()
    {
        await _ending.CancelAsync();
        try
        {
            await LastAsync().WaitAsync(Patience);
        }
        catch (TimeoutException)
        {
            TellSlow();
        }
    }

    private async Task LastAsync()
    {
        await _loop;
        await CopyAsync();
    }

    private Task CopyAsync() => Task.Factory.StartNew(Copy, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);

    private void Copy()
    {
        try
        {
            _backup.Write();
            _told = null;
        }
        catch (Exception failure)
        {
            var cause = (failure.GetType(), failure is SqliteException { SqliteErrorCode: var code } ? code : failure.HResult);
            if (_told == cause) return;
            _told = cause;
            Tell($"failed ({failure.Message})");
        }
    }

    private void TellSlow()
    {
        if (_toldSlow) return;
        _toldSlow = true;
        Tell($"takes longer than {Patience.TotalSeconds:0} s");
    }

    private void Tell(string what) => _tell($"copying the journal into the run directory {what}: until it is done, losing this machine's disk costs everything since the copy before");
}
