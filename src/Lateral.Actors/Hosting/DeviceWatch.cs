using Akka.Actor;
using Lateral.Core;

namespace Lateral.Actors.Hosting;

/// <summary>An engine of this process met an error after which the process's device context is of no use; published on the event stream.</summary>
/// <param name="Part">whose engine it was</param>
internal sealed record DeviceLost(string Part, string Reason) : ILocalMessage
{
    /// <summary>Tells this process's host, if the failure is of that sort.</summary>
    public static void PublishIfSticky(ActorSystem system, string part, Exception failure)
    {
        if (DeviceFaults.Of(failure) == DeviceFault.Sticky) system.EventStream.Publish(new DeviceLost(part, failure.GetBaseException().Message));
    }
}

/// <summary>Hears of the first lost device and hands it to whoever runs the process: a context that is broken is never used again.</summary>
internal sealed class DeviceWatch : ReceiveActor
{
    public DeviceWatch(TaskCompletionSource<DeviceLost> lost)
    {
        Receive<DeviceLost>(m => lost.TrySetResult(m));
        Context.System.EventStream.Subscribe(Self, typeof(DeviceLost));
    }
}
