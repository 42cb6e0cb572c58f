using Akka.Actor;
using Akka.Cluster;
using Akka.Event;
using Lateral.Actors.Hosting;
using Lateral.Core.Learning;
using Lateral.Core.Runs;
using static Lateral.Actors.Learning.GradientProtocol;

namespace Lateral.Actors.Learning;

/// <summary>
/// Hands the open shards of the learner's running update to ranks that are idle. It lives where the learner does and owns nothing:
/// which shard is whose stands in the <see cref="GradientRound"/>, and a rank that is gone loses its shard to the next.
/// </summary>
internal sealed class GradientDispatcherActor : ReceiveActor, IWithTimers
{
    private readonly ILoggingAdapter _log = Context.GetLogger();
    private readonly SharedGradients _gradients;
    private readonly Dictionary<string, Known> _ranks = new(StringComparer.Ordinal);
    private (GradientUpdate Update, BatchFormed Batch)? _running;

    public GradientDispatcherActor(SharedGradients gradients)
    {
        _gradients = gradients;
        Receive<RankReady>(Note);
        Receive<Terminated>(m => Forget(rank => rank.Equals(m.ActorRef)));
        Receive<ClusterEvent.UnreachableMember>(m => Forget(rank => rank.Path.Address.Equals(m.Member.Address)));
        Receive<RoundBegun>(_ => Grant());
        // A shard whose holder is overdue is open again without a message.
        Receive<Tick>(_ => Grant());
    }

    public ITimerScheduler Timers { get; set; } = null!;

    protected override void PreStart()
    {
        var self = Self;
        _gradients.Begun = _ => self.Tell(RoundBegun.Instance);
        Timers.StartPeriodicTimer(nameof(Tick), Tick.Instance, TimeSpan.FromSeconds(1));
        Reachability.Follow(Context);
    }

    protected override void PostStop()
    {
        _gradients.Begun = null;
        Reachability.Leave(Context);
    }

    private void Note(RankReady ready)
    {
        var known = _ranks.GetValueOrDefault(ready.Rank);
        if (known is { Granted: { } granted } && known.Ref.Equals(Sender) && known.Request == ready.Request && granted.Update == _gradients.Current?.Update.Key)
        {
            // The grant was lost on its way.
            Sender.Tell(granted);
            return;
        }

        if (known is null || !known.Ref.Equals(Sender)) Context.Watch(Sender);
        _gradients.Current?.Release(ready.Rank);
        _ranks[ready.Rank] = new Known(Sender, ready.Request, null);
        Grant();
    }

    private void Forget(Func<IActorRef, bool> which)
    {
        foreach (var (name, _) in _ranks.Where(pair => which(pair.Value.Ref)).ToArray())
        {
            _ranks.Remove(name);
            if (_gradients.Current?.Release(name) == true) _log.Warning("learner rank {0} is gone or silent; its shard is open again", name);
        }

        Grant();
    }

    private void Grant()
    {
        if (_gradients.Current is not { Update: { Weights: { } weights } update } round) return;
        foreach (var (name, rank) in _ranks.Where(pair => pair.Value.Granted is null).ToArray())
        {
            if (round.TryTake(name) is not { } shard) return;
            var granted = new ShardGranted(rank.Request, update.Key, shard, BatchOf(update), update.Batch.PlannedGroups, update.Shards, update.Length, weights, update.Cuts ?? []);
            _ranks[name] = rank with { Granted = granted };
            rank.Ref.Tell(granted);
        }
    }

    /// <summary>Hashing a batch takes a moment: once for all its shards.</summary>
    private BatchFormed BatchOf(GradientUpdate update)
    {
        if (!ReferenceEquals(_running?.Update, update))
            _running = (update, new BatchFormed(update.Batch.Step, [.. update.Batch.Groups.Select(group => new BatchGroup(group.Ordinal, ContentHash.Of(group)))]));
        return _running.Value.Batch;
    }

    private sealed record Known(IActorRef Ref, long Request, ShardGranted? Granted);

    private sealed class RoundBegun : ILocalMessage
    {
        public static RoundBegun Instance { get; } = new();
    }
}
