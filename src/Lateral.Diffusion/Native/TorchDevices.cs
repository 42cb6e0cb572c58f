using TorchSharp;

namespace Lateral.Diffusion.Native;

/// <summary>The devices this process can compute on.</summary>
public static class TorchDevices
{
    /// <summary>CUDA devices that answer; 0 without CUDA.</summary>
    public static int CudaCount(NativeBackend backend) => backend.Cuda ? torch.cuda.device_count() : 0;

    /// <summary>Whether <c>cpu</c>, <c>cuda</c> or <c>cuda:N</c> can be computed on.</summary>
    public static bool Exists(NativeBackend backend, string device) => device switch
    {
        "cpu" => true,
        "cuda" => CudaCount(backend) > 0,
        _ => device.StartsWith("cuda:", StringComparison.Ordinal) && int.TryParse(device.AsSpan(5), out var index) && index >= 0 && index < CudaCount(backend),
    };
}
