using System.Buffers.Binary;
using Lateral.Diffusion.Tensors;
using static TorchSharp.torch;

namespace Lateral.Diffusion.Checkpoints;

/// <summary>
/// A safetensors file opened for reading (format: 8 bytes header length, JSON header, data). Tensors at 64-byte boundaries look straight into the mapped file, whose mapping they keep alive after the
/// file object is disposed; others are read once into memory of their own.
/// </summary>
public sealed class SafetensorsFile : IDisposable
{
    private const long CopyElements = 16 << 20;
    private readonly string path;
    private readonly FileMapping mapping;
    private readonly long dataStart;
    private readonly Dictionary<string, TensorEntry> entries;

    private SafetensorsFile(string path, FileMapping mapping, SafetensorsHeader header, long dataStart)
    {
        (this.path, this.mapping, this.dataStart) = (path, mapping, dataStart);
        entries = header.Tensors.ToDictionary(entry => entry.Name, StringComparer.Ordinal);
        Metadata = header.Metadata;
        Tensors = header.Tensors;
    }

    public string Path => path;

    /// <summary>The free text that the writer stored, such as `format = pt`.</summary>
    public IReadOnlyDictionary<string, string> Metadata { get; }

    /// <summary>Every tensor, in the order of its bytes.</summary>
    public IReadOnlyList<TensorEntry> Tensors { get; }

    /// <summary>Maps the file and checks its header completely; no tensor is touched yet.</summary>
    /// <exception cref="SafetensorsException">The file is not sound; the message names it and the broken rule.</exception>
    /// <exception cref="FileNotFoundException">There is no such file.</exception>
    public static SafetensorsFile Open(string path)
    {
        var stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read | FileShare.Delete);
        FileMapping? mapped = null;
        try
        {
            var length = stream.Length;
            if (length < 8) throw new SafetensorsException($"{length} bytes are too few for a header");
            mapped = new FileMapping(stream);
            RefusePickle(mapped.Bytes(0, 4));
            var headerBytes = BinaryPrimitives.ReadUInt64LittleEndian(mapped.Bytes(0, 8));
            if (headerBytes > SafetensorsHeader.MaxBytes || (long)headerBytes > length - 8)
                throw new SafetensorsException($"a header of {headerBytes} bytes does not fit a file of {length} bytes (at most {SafetensorsHeader.MaxBytes} are read)");
            var header = SafetensorsHeader.Parse(mapped.Bytes(8, (int)headerBytes), length - 8 - (long)headerBytes);
            return new(path, mapped, header, 8 + (long)headerBytes);
        }
        catch (Exception error)
        {
            mapped?.Dispose();
            stream.Dispose();
            if (error is SafetensorsException) throw new SafetensorsException($"'{path}' is not a sound safetensors file: {error.Message}", error);
            throw;
        }
    }

    public bool Contains(string name) => entries.ContainsKey(name);

    /// <summary>The tensor, on the CPU, in the file's element type; it belongs to the current dispose scope.</summary>
    /// <exception cref="SafetensorsException">There is no such tensor.</exception>
    public Tensor Read(string name)
    {
        if (!entries.TryGetValue(name, out var entry))
            throw new SafetensorsException($"'{path}' has no tensor '{name}'; it has {string.Join(", ", entries.Keys.Order(StringComparer.Ordinal).Take(8))}{(entries.Count > 8 ? ", ..." : "")}");
        if (entry.Length == 0) return empty([.. entry.Shape], entry.Type);
        var offset = dataStart + entry.Offset;
        if (offset % HostTensor.Alignment == 0) return mapping.TensorAt(offset, entry.Shape, entry.Type);

        // The format does not promise alignment; libtorch's kernels need it, and the last bit of a sum depends on it.
        var aligned = empty([.. entry.Shape], entry.Type);
        var size = ElementTypes.SizeOf(entry.Type);
        for (long at = 0, count = aligned.numel(); at < count; at += CopyElements)
        {
            using var piece = aligned.view([-1]).narrow(0, at, Math.Min(CopyElements, count - at));
            mapping.Read(offset + (at * size), piece.bytes);
        }

        return aligned;
    }

    public void Dispose() => mapping.Dispose();

    private static void RefusePickle(ReadOnlySpan<byte> magic)
    {
        if (magic.StartsWith("PK"u8) || (magic[0] == 0x80 && magic[1] is >= 2 and <= 5))
        {
            throw new SafetensorsException(
                "it is a PyTorch pickle, which can run code when it is read and is therefore never read here. Convert it where you trust it: "
                + "python -c \"import torch, safetensors.torch as s; s.save_file(torch.load('in.bin', weights_only=True), 'out.safetensors')\"");
        }
    }
}
