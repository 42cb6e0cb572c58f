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
    private bool _read;

    /// <exception cref="JudgeFileException">the file cannot be read or written</exception>
    public async Task ProveAsync(CancellationToken cancellation)
    {
        lock (_lock) ReadFile();
        if (file is not null) await file.ProveAsync(cancellation).ConfigureAwait(false);
    }

    /// <exception cref="JudgeFileException">the file cannot be read</exception>
    public Verdict? Find(string key)
    {
        lock (_lock)
        {
            ReadFile();
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
        lock (_lock)
        {
            ReadFile();
            Remember(key, verdict);
        }
    }

    private void ReadFile()
    {
        if (_read) return;
        foreach (var (key, verdict) in file?.Read() ?? []) Remember(key, verdict);
        _read = true;
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
