using System.IO.MemoryMappedFiles;
using System.Runtime.InteropServices;
using static TorchSharp.torch;

namespace Lateral.Diffusion.Checkpoints;

/// <summary>
/// A file in memory that lives as long as its opener or any tensor that looks into it. The mapping is copy-on-write: a parameter
/// updated in place changes this process's pages, never the file.
/// </summary>
internal sealed unsafe class FileMapping : IDisposable
{
    private static readonly Lock Gate = new();
    private static readonly List<FileMapping> Live = [];
    private static readonly Deleter OnTensorFreed = Release;

    private readonly FileStream stream;
    private readonly MemoryMappedFile file;
    private readonly MemoryMappedViewAccessor view;
    private readonly byte* start;
    private readonly long length;
    private int users = 1;
    private bool disposed;

    public FileMapping(FileStream stream)
    {
        this.stream = stream;
        length = stream.Length;
        file = MemoryMappedFile.CreateFromFile(stream, null, 0, MemoryMappedFileAccess.CopyOnWrite, HandleInheritability.None, leaveOpen: false);
        view = file.CreateViewAccessor(0, length, MemoryMappedFileAccess.CopyOnWrite);
        view.SafeMemoryMappedViewHandle.AcquirePointer(ref start);
        start += view.PointerOffset;
        lock (Gate) Live.Add(this);
    }

    private delegate void Deleter(nint memory);

    public ReadOnlySpan<byte> Bytes(long offset, int count) => new(start + offset, count);

    /// <summary>Copies without touching the mapping: pages that were only copied from do not stay in this process's memory.</summary>
    /// <exception cref="EndOfStreamException">the file has become shorter</exception>
    public void Read(long offset, Span<byte> target)
    {
        while (target.Length > 0)
        {
            var count = RandomAccess.Read(stream.SafeFileHandle, target, offset);
            if (count == 0) throw new EndOfStreamException($"'{stream.Name}' ends at byte {offset} and had {length}");
            target = target[count..];
            offset += count;
        }
    }

    /// <summary>A tensor whose memory is the file's; libtorch calls back when the last view of it is gone.</summary>
    public Tensor TensorAt(long offset, IReadOnlyList<long> shape, ScalarType type)
    {
        lock (Gate)
        {
            ObjectDisposedException.ThrowIf(disposed, this);
            users++;
        }

        fixed (long* dimensions = shape.ToArray())
        {
            var handle = THSTensor_new((nint)(start + offset), OnTensorFreed, (nint)dimensions, shape.Count, (sbyte)type, (sbyte)type, (int)TorchSharp.DeviceType.CPU, -1, false);
            if (handle != 0) return Tensor.UnsafeCreateTensor(handle);
        }

        Release((nint)(start + offset));
        throw new InvalidOperationException($"libtorch could not take {type} [{string.Join(", ", shape)}] from a mapped file");
    }

    public void Dispose()
    {
        lock (Gate)
        {
            if (disposed) return;
            disposed = true;
            Leave();
        }
    }

    private static void Release(nint memory)
    {
        lock (Gate)
        {
            Live.Find(mapping => (byte*)memory >= mapping.start && (byte*)memory < mapping.start + mapping.length)?.Leave();
        }
    }

    private void Leave()
    {
        if (--users > 0) return;
        Live.Remove(this);
        view.SafeMemoryMappedViewHandle.ReleasePointer();
        view.Dispose();
        file.Dispose();
    }

    [DllImport("LibTorchSharp")]
    private static extern nint THSTensor_new(
        nint data, Deleter deleter, nint dimensions, int dimensionCount, sbyte type, sbyte dtype, int deviceType, int deviceIndex, [MarshalAs(UnmanagedType.U1)] bool requiresGrad);
}
