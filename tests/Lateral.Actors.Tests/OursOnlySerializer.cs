using System.Collections.Concurrent;
using System.Runtime.Serialization;
using Akka.Actor;
using Akka.Configuration;
using Akka.Serialization;
using Lateral.Actors.Hosting;

namespace Lateral.Actors.Tests;

/// <summary>
/// With <c>serialize-messages = on</c> Akka writes every message to bytes, its own internal ones included. This serializer stands
/// where Akka's default one was: it hands Akka's own messages over as they are, and refuses Lateral's, which must have a form.
/// </summary>
public sealed class OursOnlySerializer(ExtendedActorSystem system) : Serializer(system)
{
    private static readonly ConcurrentDictionary<Guid, object> Handed = new();

    /// <summary>For an actor system without a cluster.</summary>
    public static Config Configuration { get; } = ConfigurationFactory.ParseString($$"""
        { "akka": { "loglevel": "OFF", "stdout-loglevel": "OFF", "actor": { {{Overrides}} } } }
        """).WithFallback(ConfigurationFactory.ParseString($$"""{ "akka": { "actor": { {{AkkaConfiguration.Serialization}} } } }"""));

    /// <summary>Laid over Lateral's own <c>akka.actor {}</c>.</summary>
    public static string Overrides => """
        "serialize-messages": "on",
        "serialization-settings": { "allow-unregistered-types": "on" },
        "serializers": {
          "ours-only": "Lateral.Actors.Tests.OursOnlySerializer, Lateral.Actors.Tests",
          "akka-misc": "Lateral.Actors.Tests.OursOnlySerializer, Lateral.Actors.Tests"
        },
        "serialization-bindings": { "System.Object": "ours-only" },
        "serialization-identifiers": { "Lateral.Actors.Tests.OursOnlySerializer, Lateral.Actors.Tests": 7999 }
        """;

    /// <summary>Types of ours that came here, which is a test's failure wherever it happens.</summary>
    public static ConcurrentBag<string> Refused { get; } = [];

    public override int Identifier => 7999;

    public override bool IncludeManifest => false;

    public override byte[] ToBinary(object obj)
    {
        var assembly = obj.GetType().Assembly;
        if (assembly == typeof(RunHost).Assembly || assembly == typeof(Core.Runs.RunLedger).Assembly)
        {
            Refused.Add(obj.GetType().ToString());
            throw new SerializationException($"{obj.GetType()} is sent between actors, is not local, and has no form");
        }

        var id = Guid.NewGuid();
        Handed[id] = obj;
        return id.ToByteArray();
    }

    public override object FromBinary(byte[] bytes, Type type) => Handed.TryRemove(new Guid(bytes), out var obj) ? obj : throw new SerializationException("handed over before");
}
