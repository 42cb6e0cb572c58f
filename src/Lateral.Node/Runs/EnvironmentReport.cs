using System.Reflection;
using System.Runtime.InteropServices;
using System.Text.Json;

namespace Lateral.Node.Runs;

/// <summary>What a result depends on besides configuration and seed: versions, system, processor. Holds no user name and no path.</summary>
internal static class EnvironmentReport
{
    public static string Json() => JsonSerializer.Serialize(
        new SortedDictionary<string, object?>(StringComparer.Ordinal)
        {
            ["lateral"] = Version(typeof(EnvironmentReport).Assembly),
            ["dotnet"] = RuntimeInformation.FrameworkDescription,
            ["system"] = RuntimeInformation.OSDescription,
            ["architecture"] = RuntimeInformation.ProcessArchitecture.ToString().ToLowerInvariant(),
            ["processor"] = Processor(),
            ["cores"] = Environment.ProcessorCount,
            ["memory_mib"] = GC.GetGCMemoryInfo().TotalAvailableMemoryBytes >> 20,
            ["torchsharp"] = ReferencedVersion("TorchSharp"),
            ["akka"] = ReferencedVersion("Akka"),
        },
        new JsonSerializerOptions { WriteIndented = true }) + "\n";

    private static string Version(Assembly assembly) =>
        assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion ?? assembly.GetName().Version!.ToString();

    // Read from the metadata of our own assemblies, so that nothing native is loaded to write a report.
    private static string? ReferencedVersion(string name) =>
        new[] { typeof(Diffusion.Native.NativeBootstrap).Assembly, typeof(Actors.RunEngines).Assembly }
            .SelectMany(assembly => assembly.GetReferencedAssemblies())
            .FirstOrDefault(reference => reference.Name == name)?.Version?.ToString();

    private static string? Processor() =>
        File.Exists("/proc/cpuinfo")
            ? File.ReadLines("/proc/cpuinfo").FirstOrDefault(line => line.StartsWith("model name", StringComparison.Ordinal))?.Split(':', 2)[1].Trim()
            : Environment.GetEnvironmentVariable("PROCESSOR_IDENTIFIER");
}
