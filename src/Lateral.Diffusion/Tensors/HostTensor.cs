using System.Runtime.InteropServices;
using static TorchSharp.torch;

namespace Lateral.Diffusion.Tensors;

/// <summary>
/// Tensors from arrays, in memory that libtorch allocates. `torch.tensor(array)` keeps a managed array, whose address modulo 64 bytes is
/// chance, and MKL's sums depend in the last bit on that: the same program would give other weights from run to run.
/// </summary>
public static class HostTensor
{
    /// <summary>Bytes at whose multiples tensors begin.</summary>
    internal const int Alignment = 64;

    public static Tensor Of(ReadOnlySpan<float> values, params long[] shape) => Fill(values, ScalarType.Float32, shape);

    public static Tensor Of(ReadOnlySpan<double> values, params long[] shape) => Fill(values, ScalarType.Float64, shape);

    public static Tensor Of(ReadOnlySpan<long> values, params long[] shape) => Fill(values, ScalarType.Int64, shape);

    public static Tensor Of(ReadOnlySpan<bool> values, params long[] shape) => Fill(values, ScalarType.Bool, shape);

    /// <summary>The tensor itself when its memory begins at a 64-byte boundary or is on a device, otherwise a copy that does.</summary>
    public static unsafe Tensor Aligned(Tensor tensor)
    {
        if (tensor.device.type != TorchSharp.DeviceType.CPU || tensor.numel() == 0) return tensor;
        using var first = tensor.detach().contiguous().view(-1).narrow(0, 0, 1);
        fixed (byte* address = first.bytes)
        {
            return (nint)address % Alignment == 0 ? tensor : tensor.clone();
        }
    }

    private static Tensor Fill<T>(ReadOnlySpan<T> values, ScalarType type, long[] shape)
        where T : unmanaged
    {
        var tensor = empty(shape.Length == 0 ? [values.Length] : shape, type);
        if (tensor.numel() != values.Length)
            throw new ArgumentException($"{values.Length} values do not fill a tensor of shape [{string.Join(", ", shape)}]", nameof(values));
        if (!values.IsEmpty) MemoryMarshal.AsBytes(values).CopyTo(tensor.bytes);
        return tensor;
    }
}
