using TorchSharp;

namespace Lateral.Diffusion.Tensors;

/// <summary>The number of cores one torch operation may use; a choice of the host, because it holds for the whole process.</summary>
public static class TorchThreads
{
    /// <summary>
    /// Sets the intra-op threads. One is right where the machine is shared or results must be repeatable to the bit: two threads that
    /// wait for each other on busy cores are slower than one.
    /// </summary>
    public static void Use(int count)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(count, 1);
        torch.set_num_threads(count);
    }
}
