using Akka.Actor;
using Akka.Cluster;

namespace Lateral.Actors.Hosting;

/// <summary>
/// Nodes that the failure detector has not heard of for a while: seconds before they are removed, if they ever are. Whoever hands
/// out work takes it from them at once, because work that is done twice counts once.
/// </summary>
internal static class Reachability
{
    /// <summary>From now on the actor gets <see cref="ClusterEvent.UnreachableMember"/>; nothing where there is no cluster.</summary>
    public static void Follow(IActorContext context)
    {
        if (InCluster(context)) Cluster.Get(context.System).Subscribe(context.Self, ClusterEvent.SubscriptionInitialStateMode.InitialStateAsEvents, typeof(ClusterEvent.UnreachableMember));
    }

    public static void Leave(IActorContext context)
    {
        if (InCluster(context)) Cluster.Get(context.System).Unsubscribe(context.Self);
    }

    private static bool InCluster(IActorContext context) => context.System is ExtendedActorSystem { Provider: IClusterActorRefProvider };
}
