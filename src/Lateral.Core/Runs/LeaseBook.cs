using System.Collections.Immutable;

namespace Lateral.Core.Runs;

/// <summary>Siblings of a group that wait for a sampler.</summary>
/// <param name="Version">oldest version the rollouts may be sampled under</param>
/// <param name="Pinned">the version is also the newest allowed (deterministic mode)</param>
public sealed record SampleWork(long Group, ImmutableArray<int> Siblings, int Version, bool Pinned);

/// <summary>Work held by a sampler until a deadline on the monotonic clock.</summary>
public readonly record struct Lease(string Sampler, SampleWork Work, TimeSpan Deadline);

/// <summary>
/// Which work waits and which is leased to whom. In memory on purpose: the group entities own every retry and submit
/// their missing siblings again, so nothing durable hangs on this.
/// </summary>
/// <remarks>Invariant: a group is queued or leased, never both; the queue is served in ordinal order (oldest first).</remarks>
public sealed record LeaseBook(TimeSpan LeaseTime)
{
    public ImmutableSortedDictionary<long, SampleWork> Queue { get; init; } = ImmutableSortedDictionary<long, SampleWork>.Empty;

    public ImmutableDictionary<long, Lease> Leases { get; init; } = ImmutableDictionary<long, Lease>.Empty;

    /// <summary>Queues work unless its group is queued or leased already.</summary>
    public LeaseBook Submit(SampleWork work) =>
        Leases.ContainsKey(work.Group) || Queue.ContainsKey(work.Group) ? this : this with { Queue = Queue.Add(work.Group, work) };

    /// <summary>Leases work to a sampler until its free slots are covered.</summary>
    public (LeaseBook Book, ImmutableArray<SampleWork> Granted) Grant(string sampler, int freeSlots, TimeSpan now)
    {
        var granted = ImmutableArray.CreateBuilder<SampleWork>();
        var (queue, leases) = (Queue.ToBuilder(), Leases.ToBuilder());
        foreach (var work in Queue.Values)
        {
            if (freeSlots <= 0) break;
            freeSlots -= work.Siblings.Length;
            granted.Add(work);
            queue.Remove(work.Group);
            leases[work.Group] = new Lease(sampler, work, now + LeaseTime);
        }

        return (this with { Queue = queue.ToImmutable(), Leases = leases.ToImmutable() }, granted.ToImmutable());
    }

    /// <summary>The sampler delivered the group.</summary>
    public LeaseBook Complete(string sampler, long group) =>
        Leases.TryGetValue(group, out var lease) && lease.Sampler == sampler ? this with { Leases = Leases.Remove(group) } : this;

    /// <summary>The sampler is gone: its work waits again.</summary>
    public LeaseBook Release(string sampler) => Requeue(lease => lease.Sampler == sampler);

    /// <summary>Leases past their deadline wait again.</summary>
    public LeaseBook Expire(TimeSpan now) => Requeue(lease => lease.Deadline <= now);

    private LeaseBook Requeue(Func<Lease, bool> which)
    {
        var requeued = Leases.Values.Where(which).ToImmutableArray();
        return requeued.IsEmpty ? this : this with
        {
            Leases = Leases.RemoveRange(requeued.Select(lease => lease.Work.Group)),
            Queue = Queue.SetItems(requeued.Select(lease => KeyValuePair.Create(lease.Work.Group, lease.Work))),
        };
    }
}
