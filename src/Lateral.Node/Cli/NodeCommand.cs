using System.CommandLine;
using Lateral.Actors.Settings;
using Lateral.Configuration;
using Lateral.Node.Composition;
using Lateral.Node.Runs;
using Lateral.Node.Sessions;

namespace Lateral.Node.Cli;

/// <summary>
/// <c>node</c>: what a service manager starts again and again. It begins the run of its configuration, or goes on with it
/// where it exists. One process has every role.
/// </summary>
internal static class NodeCommand
{
    private static readonly string[] Roles = ["coordinator", "sampler", "reward", "learner"];

    public static Command Create(Terminal terminal)
    {
        var (files, sets, folder, json) = (Options.Configs(), Options.Set(), Options.RunsDir(), Options.Json());
        var name = new Option<string>("--name") { Description = "the run's name (default: that of the first file)" };
        var role = new Option<string[]>("--role") { Description = $"what this process does: {string.Join(", ", Roles)}; comma-separated or repeated", HelpName = "ROLES" };
        var node = new Command("node", Help.Line("run these roles of a run, beginning it or going on with it", $"node hocon/quickstart.conf --role {string.Join(',', Roles)}")) { files, role, sets, name, folder, json };
        node.SetAction(async (parsed, cancellation) =>
        {
            RequireAllRoles(parsed.GetValue(role) ?? []);
            string[] all = [.. parsed.GetValue(sets) ?? [], .. TrainCommand.Given("run.name", parsed.GetValue(name)), .. TrainCommand.Given("run.dir", parsed.GetValue(folder))];
            var run = TrainCommand.Of(parsed.GetValue(files)!, all);
            var directory = new RunDirectory(Path.GetFullPath(run.Settings.Directory));
            return directory.Exists
                ? await ResumeAsync(terminal, directory, RunSettingsLoader.Load(parsed.GetValue(files)!, all, null, ShippedPlugins.All), parsed.GetValue(json), cancellation)
                : await run.StartAsync(terminal, parsed.GetValue(json), cancellation);
        });
        return node;
    }

    /// <exception cref="UserException">an unknown role, or not all of them</exception>
    internal static void RequireAllRoles(IEnumerable<string> given)
    {
        var roles = given.SelectMany(text => text.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)).ToHashSet(StringComparer.Ordinal);
        foreach (var unknown in roles.Where(role => !Roles.Contains(role)))
        {
            var advice = Suggestions.Closest(unknown, Roles) is { } near ? $"did you mean {near}?" : $"there are {string.Join(", ", Roles)}";
            throw new UserException(ExitCode.Usage, $"--role {unknown}: no such role; {advice}");
        }

        var missing = Roles.Where(role => !roles.Contains(role)).ToList();
        if (missing.Count > 0)
        {
            throw new UserException(
                ExitCode.Usage,
                $"--role {(roles.Count == 0 ? "is missing" : string.Join(',', Roles.Where(roles.Contains)))}: nobody would be {string.Join(", ", missing)} - in this version one process has every role, and clusters of several processes are not in it; write --role {string.Join(',', Roles)}");
        }
    }

    /// <summary>The configuration is the service's only memory: what it says now, and a resume may change, becomes the run's.</summary>
    private static async Task<int> ResumeAsync(Terminal terminal, RunDirectory directory, LoadedSettings wanted, bool json, CancellationToken cancellation)
    {
        var catalog = new RunCatalog(Path.GetDirectoryName(directory.Root)!);
        var stored = catalog.Load(directory, [RunSettingsLoader.Set("run.dir", ((ConfigScalar)wanted.Resolved.Find("run", "dir")!).Text)]);
        string[] changes = [.. ConfigDiff.Between(stored.Resolved, wanted.Resolved).Select(change => $"{change.Path} = {(change.After is { } value ? CanonicalJson.Write(value) : "null")}")];
        var settings = ChangedSettings.Apply(catalog, directory, changes);
        await RunComposition.RequireMachineAsync(settings, cancellation);
        await using var output = terminal.Output(json);
        return (int)await RunLauncher.LaunchAsync(settings, directory, TaskComposition.Of(settings), output);
    }
}
