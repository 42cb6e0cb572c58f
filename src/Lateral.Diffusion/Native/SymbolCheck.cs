using System.Runtime.InteropServices;

namespace Lateral.Diffusion.Native;

/// <summary>
/// Compares what LibTorchSharp calls with what the loaded libtorch offers. A missing symbol otherwise shows up only when the
/// function that needs it is first called, and then it ends the process.
/// </summary>
public static class SymbolCheck
{
    /// <summary>
    /// Mangled names of the functions that LibTorchSharp needs and no loaded library has; empty when all resolve.
    /// Presence does not prove that argument layouts agree: only libtorch 2.10 is supported. Linux only; elsewhere the list is empty.
    /// </summary>
    public static IReadOnlyList<string> MissingSymbols(NativeBackend backend)
    {
        if (!OperatingSystem.IsLinux()) return [];
        return Missing(backend.LibTorchSharpPath, Required(backend.LibTorchSharpPath));
    }

    /// <summary>Those of <paramref name="names"/> that neither the library nor anything it depends on exports.</summary>
    internal static IReadOnlyList<string> Missing(string library, IEnumerable<string> names)
    {
        // A search from a library's handle covers its dependencies too: libtorch and the C++ runtime.
        var handle = NativeLibrary.Load(library);
        try
        {
            return [.. names.Where(name => !NativeLibrary.TryGetExport(handle, name, out _))];
        }
        finally
        {
            NativeLibrary.Free(handle);
        }
    }

    /// <summary>The symbols a library cannot do without: undefined in it, not weak, and not the marker that the repair makes optional.</summary>
    internal static IEnumerable<string> Required(string library) =>
        new ElfImage(File.ReadAllBytes(library)).Symbols()
            .Where(symbol => symbol is { Undefined: true, Weak: false } && symbol.Name != GlibcxxRepair.Marker)
            .Select(symbol => symbol.Name);
}
