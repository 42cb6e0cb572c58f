using System.Runtime.CompilerServices;
using Lateral.Diffusion.Native;
using TorchSharp;

namespace Lateral.Tests.Diffusion;

internal static class LoadNatives
{
    // Torch must be loaded before any test touches it; one thread makes results repeatable and leaves the machine to others.
    [ModuleInitializer]
    internal static void Load()
    {
        NativeBootstrap.Load();
        torch.set_num_threads(1);
    }
}
