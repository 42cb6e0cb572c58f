using System.Text.Json;

namespace Lateral.Diffusion.Checkpoints;

/// <summary>
/// The header of a safetensors file, checked. A checkpoint can come from anywhere, so nothing in it is believed:
/// no duplicate key, no hole, no overlap, no byte that no tensor owns, no length that the shape does not explain.
/// </summary>
internal sealed record SafetensorsHeader(IReadOnlyList<TensorEntry> Tensors, IReadOnlyDictionary<string, string> Metadata)
{
    public const int MaxBytes = 16 << 20;
    public const int MaxTensors = 100_000;
    private const string MetadataKey = "__metadata__";

    /// <param name="json">The header's bytes, without the eight bytes of its length.</param>
    /// <param name="dataBytes">How many bytes follow the header.</param>
    /// <exception cref="SafetensorsException">The rule that is broken, and where.</exception>
    public static SafetensorsHeader Parse(ReadOnlySpan<byte> json, long dataBytes)
    {
        if (json.IsEmpty || json[0] != (byte)'{') throw new SafetensorsException("the header does not begin with '{'");
        var tensors = new List<TensorEntry>();
        var metadata = new Dictionary<string, string>(StringComparer.Ordinal);
        try
        {
            // Invalid UTF-8 inside strings surfaces as InvalidOperationException when the string is read.
            var reader = new Utf8JsonReader(json, new JsonReaderOptions { MaxDepth = 4 });
            ReadAll(ref reader, tensors, metadata);
        }
        catch (Exception error) when (error is JsonException or InvalidOperationException or FormatException)
        {
            throw new SafetensorsException($"the header is not the JSON of a safetensors file: {error.Message}", error);
        }

        RequireCover(tensors, dataBytes);
        return new(tensors, metadata);
    }

    private static void ReadAll(ref Utf8JsonReader reader, List<TensorEntry> tensors, Dictionary<string, string> metadata)
    {
        var seen = new HashSet<string>(StringComparer.Ordinal);
        Expect(ref reader, JsonTokenType.StartObject);
        while (Next(ref reader) == JsonTokenType.PropertyName)
        {
            var name = reader.GetString()!;
            if (!seen.Add(name)) throw new SafetensorsException($"'{name}' stands in the header twice");
            if (name == MetadataKey) ReadMetadata(ref reader, metadata);
            else tensors.Add(ReadEntry(ref reader, name));
            if (tensors.Count > MaxTensors) throw new SafetensorsException($"more than {MaxTensors} tensors");
        }

        if (reader.Read()) throw new SafetensorsException("something follows the header's object");
    }

    private static void ReadMetadata(ref Utf8JsonReader reader, Dictionary<string, string> metadata)
    {
        Expect(ref reader, JsonTokenType.StartObject);
        while (Next(ref reader) == JsonTokenType.PropertyName)
        {
            var key = reader.GetString()!;
            Expect(ref reader, JsonTokenType.String);
            if (!metadata.TryAdd(key, reader.GetString()!)) throw new SafetensorsException($"metadata key '{key}' stands there twice");
        }
    }

    private static TensorEntry ReadEntry(ref Utf8JsonReader reader, string name)
    {
        string? dtype = null;
        List<long>? shape = null, offsets = null;
        Expect(ref reader, JsonTokenType.StartObject);
        while (Next(ref reader) == JsonTokenType.PropertyName)
        {
            var key = reader.GetString()!;
            if (key == "dtype" && dtype is null)
            {
                Expect(ref reader, JsonTokenType.String);
                dtype = reader.GetString()!;
            }
            else if (key == "shape" && shape is null) shape = ReadNumbers(ref reader, name);
            else if (key == "data_offsets" && offsets is null) offsets = ReadNumbers(ref reader, name);
            else throw new SafetensorsException($"'{name}' has a second or unknown key '{key}'");
        }

        if (dtype is null || shape is null || offsets is not [var begin, var end])
            throw new SafetensorsException($"'{name}' needs a dtype, a shape and two data_offsets");
        if (!ElementTypes.TryParse(dtype, out var type))
            throw new SafetensorsException($"'{name}' has element type '{dtype}'; these can be read: {ElementTypes.Names}");
        return new(name, type, shape, begin, RequireLength(name, shape, ElementTypes.SizeOf(type), begin, end));
    }

    private static long RequireLength(string name, List<long> shape, int elementSize, long begin, long end)
    {
        try
        {
            // Zeros last, so that a huge dimension beside a zero is still caught.
            var product = shape.Where(size => size > 0).Aggregate((long)elementSize, (bytes, size) => checked(bytes * size));
            var expected = shape.Contains(0) ? 0 : product;
            if (end < begin || end - begin != expected)
                throw new SafetensorsException($"'{name}' of shape [{string.Join(", ", shape)}] needs {expected} bytes, its data_offsets [{begin}, {end}] give {end - begin}");
            return expected;
        }
        catch (OverflowException)
        {
            throw new SafetensorsException($"'{name}' has a shape of more bytes than exist: [{string.Join(", ", shape)}]");
        }
    }

    private static List<long> ReadNumbers(ref Utf8JsonReader reader, string name)
    {
        var numbers = new List<long>();
        Expect(ref reader, JsonTokenType.StartArray);
        while (Next(ref reader) == JsonTokenType.Number)
        {
            if (!reader.TryGetInt64(out var number) || number < 0)
                throw new SafetensorsException($"'{name}' has a size or offset that is no whole number from 0 on");
            numbers.Add(number);
            if (numbers.Count > 8) throw new SafetensorsException($"'{name}' has more than eight dimensions");
        }

        if (reader.TokenType != JsonTokenType.EndArray) throw new SafetensorsException($"'{name}' has a list with something else than numbers");
        return numbers;
    }

    private static void RequireCover(List<TensorEntry> tensors, long dataBytes)
    {
        tensors.Sort((a, b) => a.Offset != b.Offset ? a.Offset.CompareTo(b.Offset) : a.Length != b.Length ? a.Length.CompareTo(b.Length) : string.CompareOrdinal(a.Name, b.Name));
        var at = 0L;
        foreach (var tensor in tensors)
        {
            if (tensor.Offset != at) throw new SafetensorsException($"'{tensor.Name}' begins at byte {tensor.Offset}, the tensor before it ends at {at}: a hole or an overlap");
            at += tensor.Length;
        }

        if (at != dataBytes) throw new SafetensorsException($"the tensors take {at} bytes, {dataBytes} follow the header: the file is cut or has a foreign tail");
    }

    private static JsonTokenType Next(ref Utf8JsonReader reader) =>
        reader.Read() ? reader.TokenType : throw new SafetensorsException("the header ends too early");

    private static void Expect(ref Utf8JsonReader reader, JsonTokenType expected)
    {
        if (Next(ref reader) != expected) throw new SafetensorsException($"expected {expected} at byte {reader.TokenStartIndex} of the header, found {reader.TokenType}");
    }
}
