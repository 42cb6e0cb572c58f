using System.Diagnostics.CodeAnalysis;
using System.Runtime.Serialization;
using Google.Protobuf;

namespace Lateral.Actors.Serialization;

/// <summary>Bytes from the network or from a database row are read here: whatever is wrong with them is one kind of error.</summary>
internal static class Untrusted
{
    /// <exception cref="SerializationException">the bytes are not what the manifest says</exception>
    public static object Read(string manifest, byte[] bytes, Func<byte[], object> decode)
    {
        try
        {
            return decode(bytes);
        }
        catch (Exception malformed) when (malformed is InvalidProtocolBufferException or FormatException or ArgumentException or OverflowException)
        {
            throw new SerializationException($"{bytes.Length:N0} bytes with the manifest '{manifest}' are not such a message: {malformed.Message}", malformed);
        }
    }

    /// <summary>A part that protobuf leaves out where the sender did not write it.</summary>
    /// <exception cref="FormatException">it is not there</exception>
    public static T Required<T>([NotNull] T? part, string name)
        where T : class => part ?? throw new FormatException($"its {name} is missing");

    /// <exception cref="FormatException">it does not hold</exception>
    public static void Expect(bool holds, string what)
    {
        if (!holds) throw new FormatException($"it says that {what}");
    }
}
