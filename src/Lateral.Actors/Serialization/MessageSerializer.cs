using System.Collections.Frozen;
using System.Runtime.Serialization;
using Akka.Actor;
using Akka.Serialization;

namespace Lateral.Actors.Serialization;

/// <summary>
/// The only serializer of Lateral's messages: protobuf behind a closed table of manifests, so that no peer can name a type to
/// create. A manifest is <c>PROTOCOL.NAME</c>, for example <c>1.train-batch</c>. There is no handshake to forget: every single
/// message carries the protocol, and a node refuses one that it does not speak, naming both numbers.
/// </summary>
public sealed class MessageSerializer : SerializerWithStringManifest
{
    /// <summary>Rises when the meaning of any form changes. Fields that are only added leave it as it is.</summary>
    public const int Protocol = 1;

    private const string FrameSetting = "akka.remote.dot-netty.tcp.maximum-frame-size";
    private const long DefaultFrame = 1024 * 1024;

    private static readonly FrozenDictionary<string, MessageForm> ByManifest = Forms.ToFrozenDictionary(form => $"{Protocol}.{form.Name}", StringComparer.Ordinal);
    private static readonly FrozenDictionary<Type, MessageForm> ByType = Forms.ToFrozenDictionary(form => form.Type);

    private readonly long _frame;

    public MessageSerializer(ExtendedActorSystem system)
        : base(system) => _frame = system.Settings.Config.GetByteSize(FrameSetting, null) ?? DefaultFrame;

    public override int Identifier => 7002;

    internal static IEnumerable<MessageForm> Forms => [.. LearnerCodec.Forms, .. GradientCodec.Forms, .. SamplingCodec.Forms, .. GroupCodec.Forms, .. StatusCodec.Forms];

    /// <summary>Half a frame: remoting adds its envelope, and heartbeats share the connection.</summary>
    private long MaxBytes => _frame / 2;

    public override string Manifest(object o) => $"{Protocol}.{FormOf(o).Name}";

    /// <exception cref="SerializationException">no form, or too large to be sent; Akka logs it and drops the message</exception>
    public override byte[] ToBinary(object obj)
    {
        var message = FormOf(obj).ToProto(obj);
        var size = message.CalculateSize();
        if (size <= MaxBytes) return Google.Protobuf.MessageExtensions.ToByteArray(message);
        throw new SerializationException(
            $"a message {Manifest(obj)} of {size:N0} bytes is not sent: {MaxBytes:N0} is the most, half of {FrameSetting} = {_frame:N0} bytes - raise that setting on every node");
    }

    public override object FromBinary(byte[] bytes, string manifest)
    {
        if (!ByManifest.TryGetValue(manifest, out var form)) throw new SerializationException(WhyUnknown(manifest));
        if (bytes.Length > MaxBytes)
            throw new SerializationException($"a message {manifest} of {bytes.Length:N0} bytes is not read: {MaxBytes:N0} is the most, half of {FrameSetting} = {_frame:N0} bytes");
        return Untrusted.Read(manifest, bytes, form.FromBytes);
    }

    private static MessageForm FormOf(object message) =>
        ByType.TryGetValue(message.GetType(), out var form) ? form : throw new SerializationException($"{message.GetType()} has no form: it is no message between nodes");

    private static string WhyUnknown(string manifest) =>
        manifest.Split('.') is [var protocol, _] && int.TryParse(protocol, out var spoken) && spoken != Protocol
            ? $"a message '{Shorten(manifest)}' speaks protocol {spoken}, this node speaks {Protocol}: run the same version of Lateral on every node"
            : $"'{Shorten(manifest)}' is no message of protocol {Protocol}";

    private static string Shorten(string manifest) => manifest.Length <= 64 ? manifest : $"{manifest[..64]}...";
}
