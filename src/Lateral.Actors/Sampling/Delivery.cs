using System.Collections.Immutable;
using Lateral.Core.Rollouts;
using Lateral.Core.Runs;

namespace Lateral.Actors.Sampling;

/// <summary>A lease's siblings on their way to their group's journal.</summary>
internal sealed class Delivery(SampleWork work)
{
    private readonly HashSet<int> _left = [.. work.Siblings];
    private readonly Dictionary<int, Trajectory> _unacknowledged = [];
    private long _sentAt;

    /// <summary>The lease: what of it is not journaled yet, without canvases.</summary>
    public SampleWork Left => work with { Siblings = [.. _left.Order()], Begun = [] };

    public void Add(ImmutableArray<Trajectory> sampled, long now)
    {
        foreach (var trajectory in sampled) _unacknowledged[trajectory.Id.Sibling] = trajectory;
        _sentAt = now;
    }

    /// <summary>Whether every leased sibling is journaled.</summary>
    public bool Settle(ImmutableArray<int> acknowledged)
    {
        foreach (var sibling in acknowledged)
        {
            _left.Remove(sibling);
            _unacknowledged.Remove(sibling);
        }

        return _left.Count == 0;
    }

    public bool IsOverdue(TimeProvider time, TimeSpan after) => _unacknowledged.Count > 0 && time.GetElapsedTime(_sentAt) > after;

    public ImmutableArray<Trajectory> Resend(long now)
    {
        _sentAt = now;
        return [.. _unacknowledged.Values];
    }
}
