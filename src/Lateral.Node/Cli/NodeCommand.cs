using System.CommandLine;
using System.Text.RegularExpressions;
using Lateral.Actors;
using Lateral.Actors.Settings;
using Lateral.Configuration;
using Lateral.Core.Runs;
using Lateral.Node.Composition;
using Lateral.Node.Runs;

namespace Lateral.Node.Cli;

/// <summary>
/// <c>node</c>: what a service manager starts again and again, on every machine of a run with the same files. A coordinator
/// begins the run, or goes on with it where it exists; every other node joins it and waits for the rest.
/// </summary>
internal static partial class NodeCommand
{
    public static Command Create(Terminal terminal)
    {
        var (files, sets, folder, json) = (Options.Configs(), Options.Set(), Options.RunsDir(), Options.Json());
        var name = new Option<string>("--name") { Description = "the run's name (default: that of the first file)" };
        var alias = new Option<string>("--as") { Description = "this node's name in the run, unlike any other's (default: its address)", HelpName = "NODE" };
        var role = new Option<string[]>("--role") { Description = $"what this process does: {string.Join(", ", NodeRolesNames.All)}; comma-separated or repeated", HelpName = "ROLES" };
        var node = new Command("node", Help.Line("run these roles of a run, beginning it or going on with it", $"node hocon/quickstart.conf --role {string.Join(',', NodeRolesNames.Required)}")) { files, role, alias, sets, name, folder, json };
        node.SetAction(async (parsed, cancellation) =>
        {
            string[] all = [.. parsed.GetValue(sets) ?? [], .. TrainCommand.Given("run.name", parsed.GetValue(name)), .. TrainCommand.Given("run.dir", parsed.GetValue(folder))];
            var run = TrainCommand.OfPinned(parsed.GetValue(files)!, all);
            var roles = RolesOf(parsed.GetValue(role) ?? [], run.Settings.Topology);
            if (RunData.IsReadBy(roles) && RunData.Pin(run.Settings) is { } pin)
            {
                all = [.. all, pin];
                run = TrainCommand.OfPinned(parsed.GetValue(files)!, all);
            }

            var part = new RunNode(roles, []) { Name = NameOf(parsed.GetValue(alias)) };
            var directory = new RunDirectory(Path.GetFullPath(run.Settings.Directory));
            return part.Roles.HasFlag(NodeRoles.Coordinator) && directory.Exists
                ? await ResumeAsync(terminal, directory, RunSettingsLoader.Load(parsed.GetValue(files)!, all, null, ShippedPlugins.All), part, parsed.GetValue(json), cancellation)
                : await run.StartAsync(terminal, parsed.GetValue(json), cancellation, part);
        });
        return node;
    }

    /// <exception cref="UserException">an unknown role or none, or roles that nobody else could have</exception>
    internal static NodeRoles RolesOf(IEnumerable<string> given, TopologySettings topology)
    {
        var roles = given.SelectMany(text => text.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)).ToHashSet(StringComparer.Ordinal);
        foreach (var unknown in roles.Where(role => !NodeRolesNames.All.Contains(role)))
        {
            var advice = Suggestions.Closest(unknown, NodeRolesNames.All) is { } near ? $"did you mean {near}?" : $"there are {string.Join(", ", NodeRolesNames.All)}";
            throw new UserException(ExitCode.Usage, $"--role {unknown}: no such role; {advice}");
        }

        if (roles.Count == 0) throw new UserException(ExitCode.Usage, $"--role is missing: what does this process do? One or more of {string.Join(", ", NodeRolesNames.All)}");
        if (roles.Contains("rank") && (topology.Ranks == 1 || topology.Cluster.IsAlone))
        {
            throw new UserException(
                ExitCode.Usage,
                topology.Ranks == 1 ? "--role rank: learner.ranks = 1, so the learner gives no shard away; write learner.ranks = 2 for a rank beside it"
                : $"--role rank: a run of one process has its {topology.Ranks} ranks beside its learner; leave the role away, or say where the other nodes are (topology.cluster)");
        }

        var missing = NodeRolesNames.Required.Where(role => !roles.Contains(role)).ToList();
        if (missing.Count == 0 || !topology.Cluster.IsAlone) return NodeRolesNames.Parse(roles);
        throw new UserException(
            ExitCode.Usage,
            $"--role {string.Join(',', NodeRolesNames.All.Where(roles.Contains))}: nobody would be {string.Join(", ", missing)} - say where the other nodes are, "
            + $"topology.cluster {{ seeds = [\"host:port\"] }} or dns or dir, or write --role {string.Join(',', NodeRolesNames.Required)}");
    }

    /// <exception cref="UserException">a name that no file and no actor can have</exception>
    internal static string? NameOf(string? alias) => alias is null || NamePattern().IsMatch(alias)
        ? alias
        : throw new UserException(ExitCode.Usage, $"--as {alias}: a node's name is letters, digits, '.', '_' or '-', at most 64 and not first a '.'");

    /// <summary>The configuration is the service's only memory: what it says now, and a resume may change, becomes the run's.</summary>
    private static async Task<int> ResumeAsync(Terminal terminal, RunDirectory directory, LoadedSettings wanted, RunNode node, bool json, CancellationToken cancellation)
    {
        var catalog = new RunCatalog(Path.GetDirectoryName(directory.Root)!);
        var stored = catalog.Load(directory, [RunSettingsLoader.Set("run.dir", ((ConfigScalar)wanted.Resolved.Find("run", "dir")!).Text)]);
        string[] changes = [.. ConfigDiff.Between(stored.Resolved, wanted.Resolved).Select(change => $"{change.Path} = {(change.After is { } value ? CanonicalJson.Write(value) : "null")}")];
        return await ResumeCommand.ResumeAsync(terminal, ChangedSettings.Apply(catalog, directory, changes), directory, node, json, cancellation);
    }

    [GeneratedRegex("^[A-Za-z0-9_-][A-Za-z0-9._-]{0,63}$", RegexOptions.NonBacktracking | RegexOptions.ExplicitCapture)]
    private static partial Regex NamePattern();
}
