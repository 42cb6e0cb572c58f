using System.Runtime.InteropServices;
using static TorchSharp.torch;

namespace Lateral.Diffusion.Likelihoods;

/// <summary>
/// Arrays on their way to a device: one copy into a tensor that libtorch owns, one transfer. Nothing of the garbage
/// collector's is pinned or looked at afterwards.
/// </summary>
internal static class HostArrays
{
    /// <summary>[n] a tensor of the numbers, in the current dispose scope.</summary>
    public static Tensor ToDevice(this double[] numbers, Device device) => Copied(MemoryMarshal.AsBytes(numbers.AsSpan()), numbers.Length, ScalarType.Float64).to(device);

    /// <inheritdoc cref="ToDevice(double[], Device)"/>
    public static Tensor ToDevice(this float[] numbers, Device device) => Copied(MemoryMarshal.AsBytes(numbers.AsSpan()), numbers.Length, ScalarType.Float32).to(device);

    private static Tensor Copied(ReadOnlySpan<byte> bytes, long count, ScalarType type)
    {
        var tensor = empty([count], type);
        bytes.CopyTo(tensor.bytes);
        return tensor;
    }
}
