using System.Runtime.Serialization;
using Akka.Actor;
using Akka.Dispatch.SysMsg;
using Akka.Remote.Serialization;
using Akka.Serialization;

namespace Lateral.Actors.Serialization;

/// <summary>
/// Akka's miscellaneous messages, but only the two that nodes find each other with. Left out are, among others, <c>Kill</c>, which
/// untrusted mode lets through to any actor, and exceptions, which Akka reads by calling a constructor of whatever type is named.
/// </summary>
public sealed class ClosedMiscSerializer(ExtendedActorSystem system) : SerializerWithStringManifest(system)
{
    private readonly MiscMessageSerializer _akka = new(system);

    public override int Identifier => 7003;

    public override string Manifest(object o) => o is Identify or ActorIdentity ? _akka.Manifest(o) : throw new SerializationException($"{o.GetType()} is not sent to other nodes");

    public override byte[] ToBinary(object obj) => _akka.ToBinary(obj);

    public override object FromBinary(byte[] bytes, string manifest) => manifest is "ID" or "AID"
        ? Untrusted.Read(manifest, bytes, data => _akka.FromBinary(data, manifest))
        : throw new SerializationException($"'{manifest}' is not taken from other nodes");
}

/// <summary>
/// Akka's system messages, but only those with which actors watch each other. The rest would start, suspend or restart actors,
/// and carries exceptions.
/// </summary>
public sealed class ClosedSystemMessageSerializer(ExtendedActorSystem system) : SerializerWithStringManifest(system)
{
    private readonly SystemMessageSerializer _akka = new(system);

    public override int Identifier => 7004;

    public override string Manifest(object o) => o switch
    {
        Watch => "watch",
        Unwatch => "unwatch",
        DeathWatchNotification => "dead",
        _ => throw new SerializationException($"{o.GetType()} is not sent to other nodes"),
    };

    public override byte[] ToBinary(object obj) => _akka.ToBinary(obj);

    public override object FromBinary(byte[] bytes, string manifest)
    {
        var type = manifest switch
        {
            "watch" => typeof(Watch),
            "unwatch" => typeof(Unwatch),
            "dead" => typeof(DeathWatchNotification),
            _ => throw new SerializationException($"'{manifest}' is not taken from other nodes"),
        };
        return Untrusted.Read(manifest, bytes, data => _akka.FromBinary(data, type));
    }
}
