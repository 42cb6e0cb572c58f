using Akka.Actor;

namespace Lateral.Simulation.Tests.Network;

/// <summary>One life of a node. A dead one's actors may still hold messages, but nothing of theirs leaves it any more.</summary>
internal sealed class Process(string node, int life)
{
    public string Node { get; } = node;

    public string Name { get; } = $"{node}-{life}";

    public bool Alive { get; set; } = true;

    /// <summary>Its actors by their part's name; a part that is being started again is absent.</summary>
    public Dictionary<string, IActorRef> Parts { get; } = new(StringComparer.Ordinal);
}
