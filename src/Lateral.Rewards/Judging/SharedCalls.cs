namespace Lateral.Rewards.Judging;

/// <summary>
/// Equal calls at one time are one call. It goes on as long as anybody waits for it: who is cancelled leaves alone, and the last to leave cancels it and
/// stays until it has ended, so that nothing runs on behind a deadline.
/// </summary>
internal sealed class SharedCalls<T>
{
    private readonly Lock _lock = new();
    private readonly Dictionary<string, Call> _calls = new(StringComparer.Ordinal);

    /// <summary>Calls going on.</summary>
    public int Count
    {
        get
        {
            lock (_lock) return _calls.Count;
        }
    }

    public async Task<T> JoinAsync(string key, Func<CancellationToken, Task<T>> start, CancellationToken cancellation)
    {
        var call = Enter(key, start);
        try
        {
            return await call.Task.WaitAsync(cancellation).ConfigureAwait(false);
        }
        finally
        {
            if (Leave(key, call))
            {
                await call.Cancellation.CancelAsync().ConfigureAwait(false);
                await ((Task)call.Task).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
                call.Cancellation.Dispose();
            }
        }
    }

    private Call Enter(string key, Func<CancellationToken, Task<T>> start)
    {
        lock (_lock)
        {
            if (!_calls.TryGetValue(key, out var call))
            {
                var cancellation = new CancellationTokenSource();
                // On the pool: what a call does before it first yields is not done under the lock.
                _calls[key] = call = new Call(Task.Run(() => start(cancellation.Token), CancellationToken.None), cancellation);
            }

            call.Waiting++;
            return call;
        }
    }

    /// <returns>whether nobody waits any more; whoever comes next starts another call</returns>
    private bool Leave(string key, Call call)
    {
        lock (_lock)
        {
            if (--call.Waiting > 0) return false;
            _calls.Remove(key);
            return true;
        }
    }

    private sealed class Call(Task<T> task, CancellationTokenSource cancellation)
    {
        public Task<T> Task => task;

        public CancellationTokenSource Cancellation => cancellation;

        public int Waiting { get; set; }
    }
}
