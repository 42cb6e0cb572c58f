using Akka.Actor;
using Lateral.Core.Rewards;

namespace Lateral.Actors.Rewards;

/// <summary>Requests that wait for an outage to end, the latest of each group, and which of them to try next.</summary>
internal sealed class HeldRequests
{
    private readonly LinkedList<(IActorRef Group, RewardProtocol.ScoreRollouts Request)> _held = [];
    private RewardProtocol.ScoreRollouts? _failed;
    private RewardProtocol.ScoreRollouts? _answered;
    private bool _triedAnswered;

    public int Rollouts => _held.Sum(held => held.Request.Requests.Length);

    public IEnumerable<(IActorRef Group, long Ordinal)> Groups => _held.Select(held => (held.Group, held.Request.Group));

    public void Add(IActorRef group, RewardProtocol.ScoreRollouts request)
    {
        for (var node = _held.First; node is not null; node = node.Next)
        {
            if (node.Value.Request.Group != request.Group) continue;
            node.Value = (group, request);
            return;
        }

        _held.AddLast((group, request));
    }

    /// <summary>One of those that could not be valued.</summary>
    public RewardRequest? Example => _failed?.Requests[0];

    /// <summary>What to try when nobody waits any more.</summary>
    public void NoteFailed(RewardProtocol.ScoreRollouts request) => _failed = request;

    /// <summary>What the pool has answered before the outage, and therefore answers after it.</summary>
    public void NoteAnswered(RewardProtocol.ScoreRollouts request) => _answered = request;

    /// <summary>
    /// One rollout: in turn one that was answered before, because those that are held may all be poison and must not keep a pool
    /// shut that answers everything else, and one of each group that is held. Null = there is nothing to try with.
    /// </summary>
    public RewardProtocol.ScoreRollouts? Probe()
    {
        _triedAnswered = !_triedAnswered && _answered is not null;
        if (_triedAnswered) return _answered;
        if (_held.First is { } first)
        {
            _held.RemoveFirst();
            _held.AddLast(first);
            return first.Value.Request with { Requests = first.Value.Request.Requests[..1] };
        }

        return _failed is { } failed ? failed with { Requests = failed.Requests[..1] } : null;
    }

    public IEnumerable<(IActorRef Group, RewardProtocol.ScoreRollouts Request)> Release()
    {
        var all = _held.ToArray();
        _held.Clear();
        return all;
    }
}
