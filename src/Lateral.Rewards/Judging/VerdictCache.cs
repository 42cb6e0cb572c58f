namespace Lateral.Rewards.Judging;

/// <summary>
/// What was judged before, by the question's key: the last <paramref name="entries"/> verdicts used, and behind them a file where one is named.
/// </summary>
/// <param name="entries">0 = nothing is kept</param>
internal sealed class VerdictCache(int entries, VerdictFile? file)
{
    private readonly Lock _lock = new();
    private readonly Dictionary<string, LinkedListNode<KeyValuePair<string, Verdict>>> _byKey = new(StringComparer.Ordinal);
    private readonly LinkedList<KeyValuePair<string, Verdict>> _byUse = new();
    private readonly SemaphoreSlim _reading = new(1);
    private volatile bool _read;

    /// <summary>Reads the file, once; before anything else.</summary>
    /// <exception cref="JudgeFileException">the file cannot be read</exception>
    public async ValueTask OpenAsync(CancellationToken cancellation)
    {
        if (_read || file is null) return;
        await _reading.WaitAsync(cancellation).ConfigureAwait(false);
        try
        {
            if (_read) return;
            var verdicts = await file.ReadAsync(cancellation).ConfigureAwait(false);
            lock (_lock)
                foreach (var (key, verdict) in verdicts) Remember(key, verdict);
            _read = true;
        }
        finally
        {
            _reading.Release();
        }
    }

    /// <exception cref="JudgeFileException">the file cannot be read or written</exception>
    public async Task ProveAsync(CancellationToken cancellation)
    {
        await OpenAsync(cancellation).ConfigureAwait(false);
        if (file is not null) await file.ProveAsync(cancellation).ConfigureAwait(false);
    }

    public Verdict? Find(string key)
    {
        lock (_lock)
        {
            if (!_byKey.TryGetValue(key, out var node)) return null;
            _byUse.Remove(node);
            _byUse.AddLast(node);
            return node.Value.Value;
        }
    }

    /// <summary>On disk before it is in memory: what is remembered is not lost with the process.</summary>
    /// <exception cref="JudgeFileException">the file cannot be written</exception>
    public async Task AddAsync(string key, Verdict verdict, CancellationToken cancellation)
    {
        if (file is not null) await file.AppendAsync(key, verdict, cancellation).ConfigureAwait(false);
        lock (_lock) Remember(key, verdict);
    }

    private void Remember(string key, Verdict verdict)
    {
        if (_byKey.Remove(key, out var before)) _byUse.Remove(before);
        _byKey[key] = _byUse.AddLast(KeyValuePair.Create(key, verdict));
        if (_byKey.Count <= entries) return;
        _byKey.Remove(_byUse.First!.Value.Key);
        _byUse.RemoveFirst();
    }
}
