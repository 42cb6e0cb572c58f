using System.CommandLine;
using System.Text.Json;
using Lateral.Actors.Settings;
using Lateral.Core.Runs;
using Lateral.Node.Checkup;
using Lateral.Node.Composition;
using Lateral.Node.Estimation;
using Lateral.Node.Runs;

namespace Lateral.Node.Cli;

/// <summary><c>doctor</c>: what of this machine a run needs, each with its cure; exit code 3 when something is missing.</summary>
internal static class DoctorCommand
{
    public static Command Create(Terminal terminal)
    {
        var (folder, sets, json) = (Options.RunsDir(), Options.Set(), Options.Json());
        var libtorch = new Option<string>("--libtorch") { Description = "folder of a libtorch or PyTorch to check instead of the package's", HelpName = "DIR" };
        var files = new Argument<string[]>("CONF") { Description = "configuration files: checks their devices, memory, disk, port and journal too", Arity = ArgumentArity.ZeroOrMore };
        var doctor = new Command("doctor", Help.Line("check what a run needs of this machine", "doctor hocon/quickstart.conf")) { files, sets, folder, libtorch, json };
        doctor.SetAction(async (parsed, cancellation) =>
        {
            var settings = parsed.GetValue(files) is { Length: > 0 } given ? RunSettingsLoader.Load(given, parsed.GetValue(sets) ?? [], null, ShippedPlugins.All).Settings : null;
            var well = true;
            var findings = new List<Finding>();
            await foreach (var finding in ExamineAsync(settings, parsed.GetValue(folder), parsed.GetValue(libtorch), cancellation))
            {
                well &= finding.Well;
                findings.Add(finding);
                if (!parsed.GetValue(json)) foreach (var line in Lines(finding)) terminal.Out.WriteLine(line);
            }

            if (parsed.GetValue(json)) terminal.Out.WriteLine(JsonSerializer.Serialize(findings, JsonSerializerOptions.Web));
            else terminal.Out.WriteLine(well ? "well" : "NOT well: see BAD above");
            return (int)(well ? ExitCode.Done : ExitCode.Environment);
        });
        return doctor;
    }

    private static async IAsyncEnumerable<Finding> ExamineAsync(RunSettings? settings, string? folder, string? libtorch, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellation)
    {
        await foreach (var finding in MachineCheck.OfAsync(cancellation)) yield return finding;
        var (backend, torch) = TorchCheck.Of(libtorch ?? settings?.Compute.Libtorch);
        foreach (var finding in torch) yield return finding;
        if (settings is null)
        {
            foreach (var finding in FolderCheck.Of(folder ?? RunCatalog.DefaultFolder, EnvironmentProblem.LeastFreeBytes)) yield return finding;
            if (FolderCheck.Journal(folder ?? RunCatalog.DefaultFolder) is { } networked) yield return networked;
            yield break;
        }

        var estimate = MemoryEstimate.Of(settings, TaskComposition.Of(settings));
        var runs = folder ?? Path.GetDirectoryName(settings.Directory)!;
        foreach (var finding in FolderCheck.Of(runs, RunCheck.Disk(settings, estimate.Parameters))) yield return finding;
        foreach (var finding in RunCheck.Of(settings, estimate, backend)) yield return finding;
        yield return RunCheck.Journal(settings with { Directory = Path.Combine(runs, settings.Name) });
        if (settings.Topology.Port > 0) yield return await MachineCheck.PortAsync(settings.Topology.Host, settings.Topology.Port, cancellation);
    }

    private static IEnumerable<string> Lines(Finding finding)
    {
        yield return $"{(finding.Well ? "ok  " : "BAD ")} {finding.Subject,-12} {finding.Text.ReplaceLineEndings(" ")}";
        if (finding.Fix is { } fix) yield return $"     {"",-12} -> {fix}";
    }
}
