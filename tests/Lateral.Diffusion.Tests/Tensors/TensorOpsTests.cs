using System.Diagnostics;
using Lateral.Diffusion.Tensors;
using TorchSharp;
using static TorchSharp.torch;

namespace Lateral.Tests.Diffusion;

public class TensorOpsTests
{
    [Fact]
    public void Operations_must_give_the_values_of_hand_computation()
    {
        using var scope = NewDisposeScope();
        var a = tensor(new[] { 1f, -2f, 4f });
        var b = tensor(new[] { 2f, 5f, -8f });
        Check([3, 3, -4], a.Plus(b));
        Check([2, 0.5f, 0], a.PlusScaled(b, 0.5));
        Check([1.5f, -1.5f, 4.5f], a.Plus(0.5));
        Check([-1, -7, 12], a.Minus(b));
        Check([0.5f, -2.5f, 3.5f], a.Minus(0.5));
        Check([2, -10, -32], a.Times(b));
        Check([3, -6, 12], a.Times(3));
        Check([0.5f, -0.4f, -0.5f], a.DividedBy(b));
        Check([0.25f, -0.5f, 1], a.DividedBy(4));
        Check([1, 4, 16], a.Squared());
        Check([1, 9, 4], a.Filled(tensor(new[] { false, true, false }), 9));
        Check([1, -1, 3], a.Limited(-1, 3));
    }

    [Fact]
    public void InPlace_operations_must_change_their_operand_only()
    {
        using var scope = NewDisposeScope();
        var a = tensor(new[] { 1f, -2f, 4f });
        var b = tensor(new[] { 2f, 5f, -8f });
        a.AddInPlace(b, 0.5);
        Check([2, 0.5f, 0], a);
        a.AddInPlace(1);
        Check([3, 1.5f, 1], a);
        a.MultiplyInPlace(b);
        Check([6, 7.5f, -8], a);
        a.MultiplyInPlace(2);
        Check([12, 15, -16], a);
        a.AddProductInPlace(b, b, -1);
        Check([8, -10, -80], a);
        a.AddQuotientInPlace(b, b, 10);
        Check([18, 0, -70], a);
        a.FillInPlace(7);
        Check([7, 7, 7], a);
        Check([2, 5, -8], b);
    }

    // With implicit scalars this loop faults within a second; LATERAL_SOAK_SECONDS lengthens it.
    [Fact]
    public void Operations_must_survive_a_thread_that_allocates()
    {
        var seconds = int.Parse(Environment.GetEnvironmentVariable("LATERAL_SOAK_SECONDS") ?? "5", System.Globalization.CultureInfo.InvariantCulture);
        using var stop = new CancellationTokenSource();
        var garbage = new Thread(() =>
        {
            while (!stop.IsCancellationRequested) GC.KeepAlive(new byte[Environment.TickCount % 2000]);
        });
        garbage.Start();
        try
        {
            var clock = Stopwatch.StartNew();
            var rounds = 0L;
            while (clock.Elapsed.TotalSeconds < seconds)
            {
                using var scope = NewDisposeScope();
                var x = tensor(new[] { 5f });
                Assert.Equal(17f + (5f * 5f), x.Times(3.0).Plus(2.0).Plus(x.Squared()).item<float>());
                rounds++;
            }

            Assert.True(rounds > 100, $"only {rounds} rounds ran");
        }
        finally
        {
            stop.Cancel();
            garbage.Join();
        }
    }

    [Fact]
    public unsafe void HostTensor_must_hold_the_values_at_an_aligned_address()
    {
        using var scope = NewDisposeScope();
        for (var length = 1; length < 40; length++)
        {
            var tensor = HostTensor.Of(Enumerable.Range(0, length).Select(i => (float)i).ToArray());
            fixed (byte* address = tensor.bytes) Assert.Equal(0, (nint)address % 64);
            Assert.Equal(Enumerable.Range(0, length).Select(i => (float)i), tensor.data<float>().ToArray());
        }

        Assert.Equal([2L, 3L], HostTensor.Of([1L, 2, 3, 4, 5, 6], 2, 3).shape);
        Assert.Throws<ArgumentException>(() => HostTensor.Of([1L, 2, 3], 2, 3));
        var odd = ones(20).narrow(0, 1, 19);
        fixed (byte* address = HostTensor.Aligned(odd).bytes) Assert.Equal(0, (nint)address % 64);
    }

    private static void Check(float[] expected, Tensor actual) => Assert.Equal(expected, actual.data<float>().ToArray(), (x, y) => Math.Abs(x - y) < 1e-6);
}
