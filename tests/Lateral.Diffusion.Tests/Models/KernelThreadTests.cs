using Lateral.Diffusion.Models.Kernels;
using static Lateral.Tests.Diffusion.KernelTests;
using static TorchSharp.torch;

namespace Lateral.Tests.Diffusion;

/// <summary>Tests that change the process's number of threads run alone: others rely on one.</summary>
[CollectionDefinition("thread count", DisableParallelization = true)]
public sealed class ThreadCountCollection;

[Collection("thread count")]
public class KernelThreadTests
{
    [Fact]
    public void Kernels_must_give_the_same_bits_on_any_number_of_threads()
    {
        using var scope = NewDisposeScope();
        var angles = Random("angles", 10, 16);
        var shape = new AttentionShape(120, 10, 2, 16, 0.25f, angles.cos(), angles.sin(), null);
        float[] Run(int threads)
        {
            set_num_threads(threads);
            try
            {
                Tensor x = Random("x", 1200, 32).requires_grad_(), w = Random("w", 32).requires_grad_();
                var h = RmsNorm.Of(x, w, 1e-5f);
                var y = SwiGlu.Of(RotaryAttention.Of(h, h, h, shape), h);
                y.backward([Random("g", 1200, 32)]);
                return [.. y.data<float>().ToArray(), .. x.grad!.data<float>().ToArray(), .. w.grad!.data<float>().ToArray()];
            }
            finally
            {
                set_num_threads(1);
            }
        }

        Assert.Equal(Run(1), Run(2));
    }
}
