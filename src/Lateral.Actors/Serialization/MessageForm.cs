using Google.Protobuf;

namespace Lateral.Actors.Serialization;

/// <summary>One kind of message: its name in manifests, and its way to protobuf and back.</summary>
internal sealed record MessageForm(string Name, Type Type, Func<object, IMessage> ToProto, Func<byte[], object> FromBytes)
{
    /// <param name="fromProto">may throw <see cref="FormatException"/> where the bytes are protobuf and still no such message</param>
    public static MessageForm Of<T, TProto>(string name, Func<T, TProto> toProto, Func<TProto, T> fromProto)
        where T : notnull
        where TProto : IMessage<TProto>, new()
    {
        var parser = new MessageParser<TProto>(() => new TProto()).WithDiscardUnknownFields(true);
        return new MessageForm(name, typeof(T), message => toProto((T)message), bytes => fromProto(parser.ParseFrom(bytes)));
    }
}
