using Akka.Actor;
using Akka.Event;
using Lateral.Core.Runs;

namespace Lateral.Actors.Policies;

/// <summary>Keeps the learner node's published snapshots to the versions that a sampler may still need, and says where they are.</summary>
internal sealed class PolicyPublisherActor : ReceiveActor, IWithTimers
{
    private readonly IPolicyStore _store;
    private int _oldest;
    private int _pruning;

    public PolicyPublisherActor(IPolicyStore store, PolicySource source, IActorRef monitor)
    {
        _store = store;
        var log = Context.GetLogger();
        Receive<Retain>(m => m.OldestVersion > _oldest, Prune);
        Receive<Retain>(_ => { });
        Receive<Pruned>(_ => _pruning--);
        Receive<Status.Failure>(m =>
        {
            // A snapshot that could not be deleted costs disk, not correctness; the next version tries again.
            _pruning--;
            log.Warning("old policies not pruned: {0}", m.Cause.Message);
        });
        Receive<GetPolicySource>(_ => Sender.Tell(new PolicySourceIs(source)));
        Receive<Tick>(_ => monitor.Tell(_pruning == 0
            ? new PartStatus(Parts.PolicyPublisher, Phase.Idle)
            : new PartStatus(Parts.PolicyPublisher, Phase.Saving, $"only policies from v{_oldest} on")));
    }

    public ITimerScheduler Timers { get; set; } = null!;

    protected override void PreStart() => Timers.StartPeriodicTimer(nameof(Tick), Tick.Instance, TimeSpan.FromSeconds(1));

    private void Prune(Retain retain)
    {
        _oldest = retain.OldestVersion;
        _pruning++;
        _ = Task.Run(() => _store.Prune(retain.OldestVersion)).PipeTo(Self, success: () => new Pruned());
    }

    /// <summary>Versions below are not needed any more; repeated.</summary>
    public sealed record Retain(int OldestVersion) : IRemoteMessage;

    public sealed record GetPolicySource : IRemoteMessage;

    public sealed record PolicySourceIs(PolicySource Source) : IRemoteMessage;

    private sealed record Pruned : ILocalMessage;
}
