using System.Reflection;
using System.Runtime.InteropServices;

namespace Lateral.Diffusion.Native;

/// <summary>One folder in which libtorch may lie, and the rule that names it.</summary>
internal sealed record LibtorchCandidate(string Source, string Directory);

/// <summary>
/// Knows where natives can lie, in order of preference: a folder that was asked for, the environment, beside the program,
/// the package folder that the build recorded. A folder that was asked for is never silently replaced by another.
/// </summary>
internal static class LibtorchLocator
{
    public const string EnvironmentVariable = "LATERAL_LIBTORCH";

    public static string RuntimeIdentifier { get; } = OsPart() + "-" + RuntimeInformation.ProcessArchitecture switch
    {
        Architecture.X64 => "x64",
        Architecture.Arm64 => "arm64",
        var other => other.ToString().ToLowerInvariant(),
    };

    /// <summary>The file name of a native library on this system: "c10" is libc10.so, libc10.dylib or c10.dll.</summary>
    public static string FileName(string library) =>
        OperatingSystem.IsWindows() ? library + ".dll" : OperatingSystem.IsMacOS() ? $"lib{library}.dylib" : $"lib{library}.so";

    public static LibtorchCandidate FindLibtorch(string? requested)
    {
        if (requested is not null) return Require("the libtorch directory of the configuration", requested);
        if (Environment.GetEnvironmentVariable(EnvironmentVariable) is { Length: > 0 } named) return Require($"environment variable {EnvironmentVariable}", named);

        var candidates = BesideTheProgram("natives beside the program").Append(new("the libtorch package", PackagedLibtorch())).ToList();
        return candidates.FirstOrDefault(candidate => Holds(candidate.Directory, "torch_cpu"))
            ?? throw new NativeBackendException(
                $"libtorch ({FileName("torch_cpu")}) was not found for {RuntimeIdentifier}. Looked in:\n"
                + string.Join('\n', candidates.Select(candidate => $"  {candidate.Source}: {candidate.Directory}"))
                + $"\nSet {EnvironmentVariable} (or the libtorch setting) to the lib folder of libtorch 2.10, for instance <site-packages>/torch/lib of an installed PyTorch, or run `dotnet restore`.");
    }

    public static string FindLibTorchSharp()
    {
        var torchSharp = typeof(TorchSharp.torch).Assembly.GetName().Version!.ToString(3);
        var candidates = BesideTheProgram("").Select(candidate => candidate.Directory)
            .Append(Natives(Path.Combine(PackagesRoot(), "torchsharp", torchSharp))).ToList();
        var folder = candidates.Find(directory => Holds(directory, "LibTorchSharp"))
            ?? throw new NativeBackendException(
                $"{FileName("LibTorchSharp")} was not found for {RuntimeIdentifier}. Looked in:\n  " + string.Join("\n  ", candidates)
                + $"\nTorchSharp {torchSharp} ships it for linux-x64, osx-arm64, win-x64 and win-arm64; rebuild or republish the program on such a system.");
        return Path.Combine(folder, FileName("LibTorchSharp"));
    }

    public static bool Holds(string directory, string library) => File.Exists(Path.Combine(directory, FileName(library)));

    private static LibtorchCandidate Require(string source, string directory)
    {
        var full = Path.GetFullPath(directory);
        if (Holds(full, "torch_cpu")) return new(source, full);
        // People name the PyTorch package or the libtorch root as often as its lib folder.
        foreach (var inner in new[] { "lib", Path.Combine("torch", "lib") })
            if (Holds(Path.Combine(full, inner), "torch_cpu")) return new(source, Path.Combine(full, inner));
        throw new NativeBackendException(
            $"{source} names '{directory}', but {Path.Combine(full, FileName("torch_cpu"))} does not exist. Name the folder that holds it, for instance <site-packages>/torch/lib.");
    }

    private static IEnumerable<LibtorchCandidate> BesideTheProgram(string source) =>
        [new(source, AppContext.BaseDirectory), new(source, Natives(AppContext.BaseDirectory))];

    // The build records the package folder; a build that moved to another machine looks in that machine's package root.
    private static string PackagedLibtorch()
    {
        var recorded = typeof(LibtorchLocator).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>()
            .FirstOrDefault(attribute => attribute.Key == "LibtorchPackage")?.Value;
        if (recorded is null or "") return Path.Combine(PackagesRoot(), "(this build references no libtorch package)");
        if (Directory.Exists(recorded)) return Natives(recorded);
        var version = Path.GetFileName(recorded);
        return Natives(Path.Combine(PackagesRoot(), Path.GetFileName(Path.GetDirectoryName(recorded)!), version));
    }

    private static string PackagesRoot() =>
        Environment.GetEnvironmentVariable("NUGET_PACKAGES") is { Length: > 0 } root
            ? root
            : Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".nuget", "packages");

    private static string Natives(string root) => Path.Combine(root, "runtimes", RuntimeIdentifier, "native");

    private static string OsPart() => OperatingSystem.IsWindows() ? "win" : OperatingSystem.IsMacOS() ? "osx" : "linux";
}
