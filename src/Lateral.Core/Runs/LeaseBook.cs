using System.Collections.Immutable;
using Lateral.Core.Rollouts;

namespace Lateral.Core.Runs;

/// <summary>Siblings of a group that wait for a sampler.</summary>
/// <param name="Version">oldest version the rollouts may be sampled under</param>
/// <param name="Pinned">the version is also the newest allowed (deterministic mode)</param>
public sealed record SampleWork(long Group, ImmutableArray<int> Siblings, int Version, bool Pinned)
{
    /// <summary>Siblings as the sampler that began them last reported them; whoever gets the work next goes on with them.</summary>
    public ImmutableArray<RolloutInFlight> Begun { get; init; } = [];
}

/// <summary>Work held by a sampler.</summary>
/// <param name="Granted">on the monotonic clock</param>
/// <param name="Confirmed">the sampler has said that it has it</param>
public readonly record struct Lease(string Sampler, SampleWork Work, TimeSpan Granted, bool Confirmed);

/// <summary>
/// Which work waits and which is leased to whom. In memory on purpose: the group entities own every retry and submit
/// their missing siblings again, so nothing durable hangs on this.
/// </summary>
/// <remarks>
/// Invariant: a group is queued or leased, never both; the queue is served in ordinal order (oldest first). I10 bounded: every lease has
/// a deadline, and a short one until its sampler has confirmed it, because a grant can be lost on its way.
/// </remarks>
public sealed record LeaseBook(TimeSpan LeaseTime, TimeSpan ConfirmTime)
{
    public ImmutableSortedDictionary<long, SampleWork> Queue { get; init; } = ImmutableSortedDictionary<long, SampleWork>.Empty;

    public ImmutableDictionary<long, Lease> Leases { get; init; } = ImmutableDictionary<long, Lease>.Empty;

    /// <summary>Queues work unless its group is leased. The entity knows best which siblings are still missing, the queue how far they had come.</summary>
    public LeaseBook Submit(SampleWork work)
    {
        if (Leases.ContainsKey(work.Group)) return this;
        return Queue.TryGetValue(work.Group, out var queued)
            ? this with { Queue = Queue.SetItem(work.Group, work with { Begun = [.. queued.Begun.Where(begun => work.Siblings.Contains(begun.Id.Sibling))] }) }
            : this with { Queue = Queue.Add(work.Group, work) };
    }

    /// <summary>
    /// A sampler says how far its work has come. Work that this book does not know is leased to it from now on: the sampler had it
    /// from an earlier dispatcher.
    /// </summary>
    public LeaseBook Report(string sampler, SampleWork work, ImmutableArray<RolloutInFlight> begun, TimeSpan now)
    {
        if (!Leases.TryGetValue(work.Group, out var lease))
        {
            return this with { Queue = Queue.Remove(work.Group), Leases = Leases.Add(work.Group, new Lease(sampler, work with { Begun = begun }, now, Confirmed: true)) };
        }

        if (lease.Sampler != sampler) return this;
        var reported = begun.Select(canvas => canvas.Id.Sibling).ToHashSet();
        var merged = work with { Begun = [.. lease.Work.Begun.Where(canvas => !reported.Contains(canvas.Id.Sibling) && work.Siblings.Contains(canvas.Id.Sibling)), .. begun] };
        return this with { Leases = Leases.SetItem(work.Group, lease with { Work = merged, Confirmed = true }) };
    }

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
            leases[work.Group] = new Lease(sampler, work, now, Confirmed: false);
        }

        return (this with { Queue = queue.ToImmutable(), Leases = leases.ToImmutable() }, granted.ToImmutable());
    }

    /// <summary>The sampler delivered the group.</summary>
    public LeaseBook Complete(string sampler, long group) =>
        Leases.TryGetValue(group, out var lease) && lease.Sampler == sampler ? this with { Leases = Leases.Remove(group) } : this;

    /// <summary>The sampler is gone: its work waits again.</summary>
    public LeaseBook Release(string sampler) => Requeue(lease => lease.Sampler == sampler);

    /// <summary>Leases past their deadline wait again.</summary>
    public LeaseBook Expire(TimeSpan now) => Requeue(lease => now - lease.Granted >= LeaseTime || (!lease.Confirmed && now - lease.Granted >= ConfirmTime));

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
