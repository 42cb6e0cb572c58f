using Akka.Actor;
using Akka.Event;
using Lateral.Core.Runs;

namespace Lateral.Actors.Policies;

/// <summary>Keeps the learner node's published snapshots to the versions that a sampler may still need.</summary>
internal sealed class PolicyPublisherActor : ReceiveActor
{
    private int _oldest;

    public PolicyPublisherActor(IPolicyStore store)
    {
        var log = Context.GetLogger();
        Receive<Retain>(m => m.OldestVersion > _oldest, m =>
        {
            _oldest = m.OldestVersion;
            _ = Task.Run(() => store.Prune(m.OldestVersion)).PipeTo(Self, failure: cause => new Status.Failure(cause));
        });
        Receive<Retain>(_ => { });
        // A snapshot that could not be deleted costs disk, not correctness; the next version tries again.
        Receive<Status.Failure>(m => log.Warning("old policies not pruned: {0}", m.Cause.Message));
    }

    /// <summary>Versions below are not needed any more; repeated.</summary>
    public sealed record Retain(int OldestVersion);
}
