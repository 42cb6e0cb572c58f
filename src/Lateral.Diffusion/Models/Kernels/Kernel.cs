using System.Runtime.Intrinsics;
using TorchSharp;
using static TorchSharp.torch;

namespace Lateral.Diffusion.Models.Kernels;

/// <summary>
/// What the fused CPU kernels share. A small model spends most of its time starting operations and moving rows between them, so its three
/// elementwise parts are one pass each here; products with weights stay with libtorch. Results do not depend on the number of threads.
/// </summary>
internal static unsafe class Kernel
{
    /// <summary>Floats per vector; rows are multiples of it, and of two for <see cref="Multiply"/>.</summary>
    public const int Lanes = 8;

    /// <summary>True for tensors that the kernels can read: float32 in main memory, small enough for a span.</summary>
    public static bool CanRun(Tensor tensor) =>
        tensor.device.type == DeviceType.CPU && tensor.dtype == ScalarType.Float32 && tensor.numel() < int.MaxValue / sizeof(float);

    /// <summary>True when a backward pass may come through an operation on these tensors.</summary>
    public static bool Records(params ReadOnlySpan<Tensor> inputs)
    {
        if (!is_grad_enabled()) return false;
        foreach (var input in inputs)
        {
            if (input.requires_grad) return true;
        }

        return false;
    }

    /// <summary>The address of a contiguous float32 tensor; valid while the tensor is, which its dispose scope sees to.</summary>
    public static float* Address(Tensor tensor)
    {
        fixed (byte* address = tensor.bytes) return (float*)address;
    }

    /// <summary>Runs the body over [0, count) in chunks whose bounds depend on nothing but the count, on as many threads as torch may use.</summary>
    /// <param name="body">Receives first and last (exclusive) item.</param>
    public static void ForEachChunk(int count, int chunk, Action<int, int> body)
    {
        var chunks = (count + chunk - 1) / chunk;
        var threads = Math.Min(get_num_threads(), chunks);
        if (threads <= 1)
        {
            for (var i = 0; i < chunks; i++) body(i * chunk, Math.Min(count, (i + 1) * chunk));
        }
        else
        {
            Parallel.For(0, chunks, new ParallelOptions { MaxDegreeOfParallelism = threads }, i => body(i * chunk, Math.Min(count, (i + 1) * chunk)));
        }
    }

    /// <summary>c[m, n] = a[m, k] b[k, n]. Element (i, x) of a lies at a + i * aRow + x * aColumn; rows of b and c are contiguous; n is a multiple of 16.</summary>
    public static void Multiply(float* a, int aRow, int aColumn, float* b, int bRow, float* c, int cRow, int m, int n, int k)
    {
        for (var column = 0; column < n; column += 2 * Lanes)
        {
            var i = 0;
            // Eight independent sums hide the latency of a multiply-add.
            for (; i + 4 <= m; i += 4)
            {
                Vector256<float> sum00 = default, sum01 = default, sum10 = default, sum11 = default, sum20 = default, sum21 = default, sum30 = default, sum31 = default;
                float* left = a + (i * aRow), right = b + column;
                for (var x = 0; x < k; x++, left += aColumn, right += bRow)
                {
                    Vector256<float> low = Vector256.Load(right), high = Vector256.Load(right + Lanes), scale = Vector256.Create(left[0]);
                    sum00 = Vector256.FusedMultiplyAdd(scale, low, sum00);
                    sum01 = Vector256.FusedMultiplyAdd(scale, high, sum01);
                    scale = Vector256.Create(left[aRow]);
                    sum10 = Vector256.FusedMultiplyAdd(scale, low, sum10);
                    sum11 = Vector256.FusedMultiplyAdd(scale, high, sum11);
                    scale = Vector256.Create(left[2 * aRow]);
                    sum20 = Vector256.FusedMultiplyAdd(scale, low, sum20);
                    sum21 = Vector256.FusedMultiplyAdd(scale, high, sum21);
                    scale = Vector256.Create(left[3 * aRow]);
                    sum30 = Vector256.FusedMultiplyAdd(scale, low, sum30);
                    sum31 = Vector256.FusedMultiplyAdd(scale, high, sum31);
                }

                var target = c + (i * cRow) + column;
                Store(sum00, sum01, target);
                Store(sum10, sum11, target + cRow);
                Store(sum20, sum21, target + (2 * cRow));
                Store(sum30, sum31, target + (3 * cRow));
            }

            for (; i < m; i++)
            {
                Vector256<float> sum0 = default, sum1 = default;
                float* left = a + (i * aRow), right = b + column;
                for (var x = 0; x < k; x++, left += aColumn, right += bRow)
                {
                    var scale = Vector256.Create(left[0]);
                    sum0 = Vector256.FusedMultiplyAdd(scale, Vector256.Load(right), sum0);
                    sum1 = Vector256.FusedMultiplyAdd(scale, Vector256.Load(right + Lanes), sum1);
                }

                Store(sum0, sum1, c + (i * cRow) + column);
            }
        }
    }

    private static void Store(Vector256<float> low, Vector256<float> high, float* target)
    {
        low.Store(target);
        high.Store(target + Lanes);
    }
}
