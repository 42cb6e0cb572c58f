using Akka;
using Akka.Actor;
using Akka.Cluster;
using Akka.Event;

namespace Lateral.Actors.Hosting;

/// <summary>
/// Akka ends a node whose TLS handshake with another fails, as if its own certificate were at fault. The usual cause is another: the
/// other node has died meanwhile, and its death must not be that of everyone who was just connecting to it. So a node that has been let in, whose
/// certificate others have accepted, holds such an end in its first phase until there is a reason of its own.
/// </summary>
internal sealed class BrokenHandshakes
{
    public const string Phase = CoordinatedShutdown.PhaseBeforeServiceUnbind;

    private readonly TaskCompletionSource _wanted = new(TaskCreationOptions.RunContinuationsAsynchronously);

    private BrokenHandshakes()
    {
    }

    public static BrokenHandshakes Survive(ActorSystem system)
    {
        var (broken, shutdown, cluster) = (new BrokenHandshakes(), CoordinatedShutdown.Get(system), Cluster.Get(system));
        // Removed by the others, or by itself: then the end is wanted.
        cluster.RegisterOnMemberRemoved(broken.End);
        shutdown.AddTask(Phase, "broken-handshakes", async () =>
        {
            if (shutdown.ShutdownReason?.GetType().Name != "TlsHandshakeFailureReason" || cluster.SelfMember.Status != MemberStatus.Up) return Done.Instance;
            system.Log.Warning("a TLS handshake with another node has failed, which is that node's trouble: this one goes on");
            await broken._wanted.Task.ConfigureAwait(false);
            return Done.Instance;
        });
        return broken;
    }

    /// <summary>Whatever was held goes on. Idempotent.</summary>
    public void End() => _wanted.TrySetResult();
}
