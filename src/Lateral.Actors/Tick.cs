using Akka.Actor;
using Akka.Event;

namespace Lateral.Actors;

/// <summary>The private timer message of actors that derive what is left to do from their state.</summary>
internal sealed class Tick : IDeadLetterSuppression, INoSerializationVerificationNeeded, INotInfluenceReceiveTimeout
{
    private Tick()
    {
    }

    public static Tick Instance { get; } = new();
}
