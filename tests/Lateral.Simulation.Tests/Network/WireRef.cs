using Akka.Actor;
using Akka.Dispatch.SysMsg;

namespace Lateral.Simulation.Tests.Network;

/// <summary>An actor as another process sees it: what is told to it goes over the wire. Equal to the actor itself, as a remote reference is.</summary>
internal sealed class WireRef(Wire wire, ExtendedActorSystem system, Process from, ActorPath path, Func<(Process Process, IActorRef Actor)?> to) : MinimalActorRef
{
    public override ActorPath Path { get; } = path;

    public override IActorRefProvider Provider => system.Provider;

    /// <summary>Death watch crosses the wire both ways; a dead process is noticed after a while.</summary>
    public override void SendSystemMessage(ISystemMessage message)
    {
        if (to() is not { } found) return;
        switch (message)
        {
            case Watch watch when found.Process.Alive:
                ((IInternalActorRef)found.Actor).SendSystemMessage(new Watch((IInternalActorRef)found.Actor, (IInternalActorRef)wire.Back(found.Process, from, watch.Watcher)));
                break;
            case Watch watch:
                wire.Notify(wire.DetectionTime(), () => watch.Watcher.SendSystemMessage(new DeathWatchNotification(watch.Watchee, existenceConfirmed: true, addressTerminated: false)));
                break;
            case DeathWatchNotification:
                wire.Notify(from.Alive ? TimeSpan.FromMilliseconds(5) : wire.DetectionTime(), () => ((IInternalActorRef)found.Actor).SendSystemMessage(message));
                break;
        }
    }

    protected override void TellInternal(object message, IActorRef sender) => wire.Send(from, to, Path.Name, message, sender);
}
