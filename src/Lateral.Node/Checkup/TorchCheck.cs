using System.Text;
using System.Text.RegularExpressions;
using Lateral.Diffusion.Native;
using Lateral.Node.Estimation;

namespace Lateral.Node.Checkup;

/// <summary>libtorch: whether it loads and which one, whether it is whole, the C++ runtime under it, and the devices.</summary>
internal static partial class TorchCheck
{
    private const string Needed = "3.4.32";

    /// <returns>what was loaded, null where nothing could be; and what there is to say of it</returns>
    public static (NativeBackend? Backend, IEnumerable<Finding> Findings) Of(string? libtorch)
    {
        try
        {
            var backend = NativeBootstrap.Load(libtorch);
            return (backend, Findings(backend, new Finding("libtorch", true, $"{backend.LibtorchDirectory} ({backend.Source})")));
        }
        catch (NativeBackendException failure)
        {
            return (null, Findings(null, new Finding("libtorch", false, failure.Message, "name a libtorch 2.10 with compute.libtorch or LATERAL_LIBTORCH, or run dotnet restore")));
        }
    }

    private static IEnumerable<Finding> Findings(NativeBackend? backend, Finding loaded)
    {
        yield return loaded;
        if (backend is not null)
        {
            var missing = SymbolCheck.MissingSymbols(backend);
            yield return missing.Count == 0
                ? new Finding("symbols", true, "every function LibTorchSharp calls is there")
                : new Finding("symbols", false, $"{missing.Count} functions are missing, first {missing[0]}", "use libtorch 2.10: others have other functions");
        }

        if (OperatingSystem.IsLinux() && Runtime() is { } runtime)
            yield return new Finding("C++ runtime", backend is not null, $"{runtime}{(backend?.Patched == true ? $"; LibTorchSharp asks for GLIBCXX_{Needed} and was repaired for it" : "")}", backend is null ? $"libtorch needs GLIBCXX_{Needed} (GCC 13) unless it can be repaired" : null);
        foreach (var finding in Devices(backend)) yield return finding;
    }

    private static IEnumerable<Finding> Devices(NativeBackend? backend)
    {
        var gpus = DeviceMemory.Gpus();
        foreach (var ((name, driver, bytes), index) in gpus.Select((gpu, index) => (gpu, index)))
            yield return new Finding($"cuda:{index}", true, $"{name}, {Bytes.Text(bytes)}, driver {driver}");
        if (backend is null) yield break;
        var seen = TorchDevices.CudaCount(backend);
        yield return (seen, gpus.Count) switch
        {
            (0, 0) => new Finding("devices", true, "cpu only"),
            (0, _) => new Finding("devices", true, "cpu only: this libtorch has no CUDA, or none that fits the driver", "name a CUDA libtorch with compute.libtorch, or build with -p:Torch=cuda"),
            _ => new Finding("devices", true, $"cpu and cuda:0{(seen > 1 ? $" .. cuda:{seen - 1}" : "")}"),
        };
    }

    /// <summary>Newest symbol version of the libstdc++ that this process has loaded.</summary>
    private static string? Runtime()
    {
        var library = File.ReadLines("/proc/self/maps").Select(line => line[(line.LastIndexOf(' ') + 1)..]).FirstOrDefault(path => path.Contains("libstdc++.so", StringComparison.Ordinal) && File.Exists(path));
        if (library is null) return null;
        var versions = SymbolVersion().Matches(Encoding.Latin1.GetString(File.ReadAllBytes(library))).Select(match => Version.Parse(match.Groups["version"].Value)).ToList();
        return versions.Count == 0 ? library : $"{library} has GLIBCXX_{versions.Max()}";
    }

    [GeneratedRegex(@"GLIBCXX_(?<version>[0-9]+\.[0-9]+(\.[0-9]+)?)", RegexOptions.ExplicitCapture | RegexOptions.NonBacktracking)]
    private static partial Regex SymbolVersion();
}
