using System.Reflection;
using System.Runtime.InteropServices;
using TorchSharp;

namespace Lateral.Diffusion.Native;

/// <summary>
/// Loads libtorch before any TorchSharp type is touched: the first thing every process does. Left alone, TorchSharp looks for its
/// natives beside the program, copies 480 MB there, and on systems with an older C++ runtime fails with a misleading message.
/// </summary>
/// <remarks>
/// Order of sources for libtorch: the argument, environment variable LATERAL_LIBTORCH, natives beside the program (also those of a build
/// with -p:Torch=cuda), the package folder recorded by the build. Nothing is copied but, where needed, the 2.4 MB of LibTorchSharp.
/// </remarks>
public static class NativeBootstrap
{
    // Dependencies first: later libraries find earlier ones by SONAME, so no LD_LIBRARY_PATH is needed.
    private static readonly string[] LinuxOrder = ["torch_global_deps", "c10", "c10_cuda", "torch_cpu", "torch_cuda", "torch"];
    private static readonly Lock Gate = new();
    private static NativeBackend? loaded;
    private static string? requestedDirectory;

    /// <summary>Loads libtorch and LibTorchSharp once per process and says what was loaded; later calls return the same.</summary>
    /// <param name="libtorchDirectory">The lib folder of libtorch 2.10 or of an installed PyTorch; null to search.</param>
    /// <exception cref="NativeBackendException">Nothing usable was found, or another directory was loaded before.</exception>
    public static NativeBackend Load(string? libtorchDirectory = null)
    {
        lock (Gate)
        {
            if (loaded is null)
            {
                loaded = LoadOnce(libtorchDirectory);
                requestedDirectory = libtorchDirectory;
            }
            else if (libtorchDirectory is not null && libtorchDirectory != requestedDirectory)
            {
                throw new NativeBackendException(
                    $"libtorch is already loaded from '{loaded.LibtorchDirectory}'; a process cannot load a second one from '{libtorchDirectory}'. Set the directory before the first use.");
            }

            return loaded;
        }
    }

    private static NativeBackend LoadOnce(string? libtorchDirectory)
    {
        var libtorch = LibtorchLocator.FindLibtorch(libtorchDirectory);
        var shim = LibtorchLocator.FindLibTorchSharp();
        var libraries = new Dictionary<string, nint>(StringComparer.Ordinal);
        try
        {
            foreach (var library in LinuxOrder.Where(library => LibtorchLocator.Holds(libtorch.Directory, library)))
                libraries[library] = NativeLibrary.Load(Path.Combine(libtorch.Directory, LibtorchLocator.FileName(library)));
            (libraries["LibTorchSharp"], var path) = LoadLibTorchSharp(shim);
            foreach (var assembly in new[] { typeof(torch).Assembly, typeof(NativeBootstrap).Assembly })
                NativeLibrary.SetDllImportResolver(assembly, (name, _, _) => libraries.GetValueOrDefault(name));
            var cuda = Initialise(libraries.ContainsKey("torch_cuda"));
            return new(libtorch.Directory, path, path != shim, cuda, libtorch.Source);
        }
        catch (Exception error) when (error is DllNotFoundException or BadImageFormatException or TypeInitializationException or NotSupportedException)
        {
            throw new NativeBackendException(
                $"libtorch in '{libtorch.Directory}' ({libtorch.Source}) with '{shim}' could not be loaded: {(error.InnerException ?? error).Message}\n"
                + $"It must be libtorch 2.10 for {LibtorchLocator.RuntimeIdentifier}; name another with {LibtorchLocator.EnvironmentVariable}.", error);
        }
    }

    private static (nint Handle, string Path) LoadLibTorchSharp(string path)
    {
        try
        {
            return (NativeLibrary.Load(path), path);
        }
        catch (DllNotFoundException error) when (OperatingSystem.IsLinux() && error.Message.Contains(GlibcxxRepair.Version, StringComparison.Ordinal))
        {
            var copy = GlibcxxRepair.RepairedCopy(path, GlibcxxRepair.CacheRoot());
            return (NativeLibrary.Load(copy), copy);
        }
    }

    // torch's static constructor runs here, under the gate, so that a failure is reported once and by the bootstrap.
    private static bool Initialise(bool hasCuda)
    {
        torch.InitializeDeviceType(DeviceType.CPU);
        return hasCuda && torch.TryInitializeDeviceType(DeviceType.CUDA) && torch.cuda.is_available();
    }
}
