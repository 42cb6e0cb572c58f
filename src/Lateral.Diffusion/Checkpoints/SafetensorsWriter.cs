using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text.Json;
using Lateral.Core;
using static TorchSharp.torch;

namespace Lateral.Diffusion.Checkpoints;

/// <summary>Writes safetensors files whose bytes are a function of their content: the same tensors and metadata give the same SHA-256.</summary>
public static class SafetensorsWriter
{
    private const long ChunkElements = 4 << 20;

    /// <summary>Writes durably (see <see cref="DurableFile"/>) and returns the file's SHA-256 in lower-case hexadecimal digits.</summary>
    /// <param name="path">Replaced if it exists; its folder must exist.</param>
    /// <param name="tensors">On any device; wide element types first and then by name, which keeps every tensor aligned.</param>
    /// <param name="metadata">Free text, stored in the order of its keys.</param>
    /// <param name="sync">Off for what can be derived again, as for <see cref="DurableFile"/>.</param>
    public static string Write(string path, IReadOnlyDictionary<string, Tensor> tensors, IReadOnlyDictionary<string, string>? metadata = null, bool sync = true)
    {
        var entries = Layout(tensors);
        var header = Header(entries, metadata ?? new Dictionary<string, string>());
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var size = 8 + header.Length + entries.Sum(entry => entry.Length);
        DurableFile.Write(path, stream =>
        {
            Span<byte> length = stackalloc byte[8];
            BinaryPrimitives.WriteInt64LittleEndian(length, header.Length);
            Append(length);
            Append(header);
            foreach (var entry in entries) AppendTensor(tensors[entry.Name]);

            void Append(ReadOnlySpan<byte> bytes)
            {
                stream.Write(bytes);
                hash.AppendData(bytes);
            }

            // In pieces, because a span holds at most 2 GiB.
            void AppendTensor(Tensor tensor)
            {
                using var scope = NewDisposeScope();
                using var quiet = no_grad();
                var flat = tensor.detach().cpu().contiguous().view([-1]);
                for (var at = 0L; at < flat.numel(); at += ChunkElements)
                    Append(flat.narrow(0, at, Math.Min(ChunkElements, flat.numel() - at)).bytes);
            }
        }, size, sync);
        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    private static List<TensorEntry> Layout(IReadOnlyDictionary<string, Tensor> tensors)
    {
        var entries = new List<TensorEntry>();
        var offset = 0L;
        foreach (var (name, tensor) in tensors.OrderByDescending(pair => ElementTypes.SizeOf(pair.Value.dtype)).ThenBy(pair => pair.Key, StringComparer.Ordinal))
        {
            var length = tensor.numel() * ElementTypes.SizeOf(tensor.dtype);
            entries.Add(new(name, tensor.dtype, tensor.shape, offset, length));
            offset += length;
        }

        return entries;
    }

    private static byte[] Header(List<TensorEntry> entries, IReadOnlyDictionary<string, string> metadata)
    {
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            if (metadata.Count > 0)
            {
                json.WriteStartObject("__metadata__");
                foreach (var (key, value) in metadata.OrderBy(pair => pair.Key, StringComparer.Ordinal)) json.WriteString(key, value);
                json.WriteEndObject();
            }

            foreach (var entry in entries)
            {
                json.WriteStartObject(entry.Name);
                json.WriteString("dtype", ElementTypes.NameOf(entry.Type));
                WriteNumbers(json, "shape", entry.Shape);
                WriteNumbers(json, "data_offsets", [entry.Offset, entry.Offset + entry.Length]);
                json.WriteEndObject();
            }

            json.WriteEndObject();
        }

        // Spaces let the data begin at a 64-byte boundary of the file, so that a mapped tensor is as well aligned as an allocated one.
        while ((8 + buffer.Length) % 64 != 0) buffer.WriteByte((byte)' ');
        return buffer.ToArray();
    }

    private static void WriteNumbers(Utf8JsonWriter json, string key, IEnumerable<long> numbers)
    {
        json.WriteStartArray(key);
        foreach (var number in numbers) json.WriteNumberValue(number);
        json.WriteEndArray();
    }
}
