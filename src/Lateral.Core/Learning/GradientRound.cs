using System.Collections.Immutable;
using System.Numerics;
using System.Runtime.InteropServices;

namespace Lateral.Core.Learning;

/// <summary>
/// The shards of one update: who has which, and the sum as far as it goes. Safe on any thread.
/// </summary>
/// <remarks>
/// Each shard is open, held by a rank, here before its turn, or in the sum; the sum holds shards 0 .. n - 1, added in that order
/// whoever computed them and whenever they came. What a lost rank held is open again, and of two results for one shard the
/// first counts. I10 bounded: nobody waits for a shard longer than its holder's deadline.
/// </remarks>
public sealed class GradientRound : IGradientRound
{
    private const string Learner = "";

    private readonly Lock _gate = new();
    private readonly TimeSpan _deadline;
    private readonly TimeProvider _time;
    private readonly float[] _sum;
    private readonly SortedSet<int> _open;
    private readonly Dictionary<int, (string Rank, long Since)> _held = [];
    private readonly Dictionary<int, float[]> _early = [];
    private readonly ShardReport?[] _reports;
    private readonly HashSet<string> _ranks = new(StringComparer.Ordinal);
    private TaskCompletionSource _changed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _summed;
    private bool _over;

    internal GradientRound(GradientUpdate update, float[] sum, TimeSpan deadline, TimeProvider time)
    {
        (Update, _sum, _deadline, _time) = (update, sum, deadline, time);
        _open = [.. Enumerable.Range(0, update.Shards)];
        _reports = new ShardReport?[update.Shards];
    }

    public GradientUpdate Update { get; }

    public int Ranks
    {
        get
        {
            lock (_gate) return _ranks.Count;
        }
    }

    public async Task<int?> NextAsync(CancellationToken cancellation)
    {
        while (true)
        {
            Task changed;
            TimeSpan patience;
            lock (_gate)
            {
                if (_over) throw new InvalidOperationException($"the gradients of step {Update.Batch.Step} are summed for another learner now");
                if (_summed == Update.Shards) return null;
                OpenOverdue();
                if (Hold(Learner) is { } shard) return shard;
                (changed, patience) = (_changed.Task, UntilOverdue());
            }

            using var waiting = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
            await Task.WhenAny(changed, Task.Delay(patience, _time, waiting.Token)).ConfigureAwait(false);
            await waiting.CancelAsync().ConfigureAwait(false);
            cancellation.ThrowIfCancellationRequested();
        }
    }

    public void Contribute(int shard, ReadOnlySpan<float> gradient, ShardReport report)
    {
        lock (_gate)
        {
            if (_over) throw new InvalidOperationException($"shard {shard} of step {Update.Batch.Step} came after another round was begun");
            Add(Learner, shard, gradient, report);
        }
    }

    public ImmutableArray<ShardReport> Total(Span<float> sum)
    {
        lock (_gate)
        {
            if (_over || _summed != Update.Shards) throw new InvalidOperationException($"{_summed} of {Update.Shards} shards of step {Update.Batch.Step} are summed");
            _sum.CopyTo(sum);
            _over = true;
            return [.. _reports.Select(report => report!)];
        }
    }

    /// <summary>A shard for another rank; null = none is open.</summary>
    public int? TryTake(string rank)
    {
        lock (_gate)
        {
            if (_over) return null;
            OpenOverdue();
            return Hold(rank);
        }
    }

    /// <summary>What another rank computed.</summary>
    /// <returns>false = nobody waits for it</returns>
    /// <exception cref="ArgumentException">it is no gradient of this model or no shard of this update</exception>
    public bool TryContribute(int shard, ReadOnlySpan<float> gradient, ShardReport report)
    {
        if (shard < 0 || shard >= Update.Shards) throw new ArgumentException($"step {Update.Batch.Step} has shards 0 to {Update.Shards - 1}, not {shard}", nameof(shard));
        lock (_gate)
        {
            // Its rank's name was lost with the lease where another one has the shard by now.
            return !_over && Add(_held.TryGetValue(shard, out var lease) ? lease.Rank : "another", shard, gradient, report);
        }
    }

    /// <summary>Others may have what the rank held: it is gone, or begins anew.</summary>
    /// <returns>whether it held anything</returns>
    public bool Release(string rank)
    {
        lock (_gate) return Reopen(lease => lease.Rank == rank);
    }

    internal void End()
    {
        lock (_gate)
        {
            _over = true;
            Signal();
        }
    }

    private int? Hold(string rank)
    {
        if (_open.Count == 0) return null;
        var shard = _open.Min;
        _open.Remove(shard);
        _held[shard] = (rank, _time.GetTimestamp());
        return shard;
    }

    private bool Add(string rank, int shard, ReadOnlySpan<float> gradient, ShardReport report)
    {
        if (gradient.Length != Update.Length) throw new ArgumentException($"a gradient of {gradient.Length:N0} numbers is not one of this model, which has {Update.Length:N0}", nameof(gradient));
        if (_reports[shard] is not null) return false;
        _open.Remove(shard);
        _held.Remove(shard);
        _reports[shard] = report;
        _ranks.Add(rank);
        if (shard == _summed) Sum(gradient);
        else _early[shard] = gradient.ToArray();
        while (_early.Remove(_summed, out var next)) Sum(next);
        if (_summed == Update.Shards) Signal();
        return true;
    }

    private void Sum(ReadOnlySpan<float> gradient)
    {
        if (_summed++ == 0)
        {
            gradient.CopyTo(_sum);
            return;
        }

        var sums = MemoryMarshal.Cast<float, Vector<float>>(_sum.AsSpan());
        var parts = MemoryMarshal.Cast<float, Vector<float>>(gradient);
        for (var i = 0; i < sums.Length; i++) sums[i] += parts[i];
        for (var i = sums.Length * Vector<float>.Count; i < _sum.Length; i++) _sum[i] += gradient[i];
    }

    private void OpenOverdue()
    {
        if (_deadline != Timeout.InfiniteTimeSpan) Reopen(lease => lease.Rank != Learner && _time.GetElapsedTime(lease.Since) >= _deadline);
    }

    private bool Reopen(Func<(string Rank, long Since), bool> which)
    {
        var shards = _held.Where(held => which(held.Value)).Select(held => held.Key).ToList();
        foreach (var shard in shards)
        {
            _held.Remove(shard);
            _open.Add(shard);
        }

        if (shards.Count > 0) Signal();
        return shards.Count > 0;
    }

    private TimeSpan UntilOverdue()
    {
        if (_deadline == Timeout.InfiniteTimeSpan) return _deadline;
        var left = _deadline - _held.Values.Max(lease => _time.GetElapsedTime(lease.Since));
        return left > TimeSpan.FromMilliseconds(1) ? left : TimeSpan.FromMilliseconds(1);
    }

    private void Signal()
    {
        _changed.TrySetResult();
        _changed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }
}
