using System.CommandLine;
using System.Runtime.InteropServices;
using System.Text.Json;
using Lateral.Diffusion.Native;
using Lateral.Node.Runs;

namespace Lateral.Node.Cli;

/// <summary>One thing a run needs of the machine.</summary>
/// <param name="Fix">what to do; null where it is well</param>
public sealed record Finding(string Subject, bool Well, string Text, string? Fix);

/// <summary><c>doctor</c>: what of this machine a run needs, each with its cure; exit code 3 when something is missing.</summary>
internal static class DoctorCommand
{
    public static Command Create(Terminal terminal)
    {
        var (folder, libtorch, json) = (Options.RunsDir(), new Option<string>("--libtorch") { Description = "folder of a libtorch or PyTorch to check instead of the package's", HelpName = "DIR" }, Options.Json());
        var doctor = new Command("doctor", Help.Line("check what a run needs of this machine", "doctor")) { folder, libtorch, json };
        doctor.SetAction(async (parsed, cancellation) =>
        {
            var findings = await ExamineAsync(parsed.GetValue(folder) ?? RunCatalog.DefaultFolder, parsed.GetValue(libtorch), cancellation);
            if (parsed.GetValue(json)) terminal.Out.WriteLine(JsonSerializer.Serialize(findings, JsonSerializerOptions.Web));
            else foreach (var line in findings.SelectMany(Lines)) terminal.Out.WriteLine(line);
            return (int)(findings.All(finding => finding.Well) ? ExitCode.Done : ExitCode.Environment);
        });
        return doctor;
    }

    internal static async Task<IReadOnlyList<Finding>> ExamineAsync(string runsFolder, string? libtorch, CancellationToken cancellation)
    {
        var findings = new List<Finding>
        {
            new("system", true, $"{RuntimeInformation.OSDescription}, {RuntimeInformation.ProcessArchitecture}, {Environment.ProcessorCount} cores, {GC.GetGCMemoryInfo().TotalAvailableMemoryBytes >> 20} MiB", null),
            new(".NET", true, RuntimeInformation.FrameworkDescription, null),
        };
        findings.AddRange(Torch(libtorch));
        findings.Add(RunsFolder(runsFolder));
        findings.Add(await PortAsync(cancellation));
        return findings;
    }

    internal static IEnumerable<string> Lines(Finding finding)
    {
        yield return $"{(finding.Well ? "ok  " : "BAD ")} {finding.Subject,-12} {finding.Text.ReplaceLineEndings(" ")}";
        if (finding.Fix is { } fix) yield return $"     {"",-12} -> {fix}";
    }

    private static IEnumerable<Finding> Torch(string? libtorch)
    {
        NativeBackend? backend = null;
        Finding loaded;
        try
        {
            backend = NativeBootstrap.Load(libtorch);
            loaded = new Finding("libtorch", true, $"{backend.LibtorchDirectory} ({backend.Source}){(backend.Patched ? ", LibTorchSharp repaired for this C++ runtime" : "")}", null);
        }
        catch (NativeBackendException failure)
        {
            loaded = new Finding("libtorch", false, failure.Message, "name a libtorch 2.10 with compute.libtorch or LATERAL_LIBTORCH, or run dotnet restore");
        }

        yield return loaded;
        if (backend is null) yield break;
        var missing = SymbolCheck.MissingSymbols(backend);
        yield return missing.Count == 0
            ? new Finding("symbols", true, "every function LibTorchSharp calls is there", null)
            : new Finding("symbols", false, $"{missing.Count} functions are missing, first {missing[0]}", "use libtorch 2.10: others have other functions");
        yield return new Finding("cuda", true, backend.Cuda ? "available: topology.roles.sampler.devices { \"cuda:0\" {} }" : "none; everything runs on the CPU", null);
    }

    private static Finding RunsFolder(string folder)
    {
        var full = Path.GetFullPath(folder);
        try
        {
            var existing = full;
            while (!Directory.Exists(existing)) existing = Path.GetDirectoryName(existing)!;
            var probe = Path.Combine(existing, $".lateral-{Guid.NewGuid():N}");
            File.WriteAllText(probe, "probe");
            File.Delete(probe);
            var free = EnvironmentProblem.FreeBytes(existing);
            return free >= EnvironmentProblem.LeastFreeBytes
                ? new Finding("runs folder", true, $"{full}, {free >> 30} GiB free", null)
                : new Finding("runs folder", false, $"{full} has {free >> 20} MiB free", "free some space, or choose another --runs-dir");
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            return new Finding("runs folder", false, $"{full} cannot be written: {failure.Message}", "choose another --runs-dir");
        }
    }

    private static async Task<Finding> PortAsync(CancellationToken cancellation)
    {
        try
        {
            await EnvironmentProblem.RequirePortAsync("127.0.0.1", 0, cancellation);
            return new Finding("loopback", true, "127.0.0.1 can be listened on", null);
        }
        catch (UserException failure)
        {
            return new Finding("loopback", false, failure.Message, "allow listening on 127.0.0.1: the run's parts talk over it");
        }
    }
}
