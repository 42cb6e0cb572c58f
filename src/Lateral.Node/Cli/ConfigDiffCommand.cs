using System.CommandLine;
using System.Text.Json.Nodes;
using Lateral.Actors.Settings;
using Lateral.Configuration;
using Lateral.Node.Runs;

namespace Lateral.Node.Cli;

/// <summary><c>config diff A B</c>: in which settings two files or runs differ, defaults included.</summary>
internal static class ConfigDiffCommand
{
    public static Command Create(Terminal terminal)
    {
        var (sets, folder, json) = (Options.Set(), Options.RunsDir(), Options.Json());
        var first = new Argument<string>("A") { Description = "a configuration file or the name of a run" };
        var second = new Argument<string>("B") { Description = "another file or run" };
        var diff = new Command("diff", Help.Line("say in which settings two files or runs differ", "config diff hocon/quickstart.conf hocon/tasks/sort6.conf")) { first, second, sets, folder, json };
        diff.SetAction(parsed =>
        {
            var (catalog, laid) = (RunsCommand.Catalog(parsed.GetValue(folder)), parsed.GetValue(sets) ?? []);
            return Print(terminal, ConfigDiff.Between(Tree(catalog, parsed.GetValue(first)!, laid), Tree(catalog, parsed.GetValue(second)!, laid)), parsed.GetValue(json));
        });
        return diff;
    }

    /// <summary>What is compared is the tree: a run of another version is still worth comparing.</summary>
    private static ConfigObject Tree(RunCatalog catalog, string name, string[] sets)
    {
        if (File.Exists(name)) return RunSettingsLoader.Resolve([name], sets);
        if (Path.GetExtension(name) is ".conf" or ".json") throw new UserException(ExitCode.Usage, $"file not found: {name}; check the name, or run from the folder that holds it");
        var run = catalog.Find(name);
        return RunSettingsLoader.Resolve([run.ConfigResolved], [RunSettingsLoader.Set("run.name", run.Name), .. sets]);
    }

    private static int Print(Terminal terminal, IReadOnlyList<ConfigChange> changes, bool json)
    {
        if (json)
        {
            ConfigCommand.WriteJson(terminal, new JsonArray([.. changes.Select(change => new JsonObject
            {
                ["key"] = change.Path, ["kind"] = change.Kind, ["before"] = ConfigCommand.Json(Shown(change, change.Before)), ["after"] = ConfigCommand.Json(Shown(change, change.After)),
            })]));
            return (int)ExitCode.Done;
        }

        var width = changes.Select(change => change.Path.Length).DefaultIfEmpty().Max();
        foreach (var change in changes)
        {
            var mark = change.Kind switch { "added" => '+', "removed" => '-', _ => '~' };
            terminal.Out.WriteLine($"{mark} {change.Path.PadRight(width)}  {string.Join(" -> ", new[] { change.Before, change.After }.OfType<ConfigValue>().Select(value => Text(Shown(change, value)!)))}");
        }

        terminal.Out.WriteLine(changes.Count == 0 ? "no differences" : string.Join(", ", changes.CountBy(change => change.Kind).Select(kind => $"{kind.Value} {kind.Key}")));
        return (int)ExitCode.Done;
    }

    private static ConfigValue? Shown(ConfigChange change, ConfigValue? value) => value is null ? null : ConfigCommand.Shown(change.Path, value);

    private static string Text(ConfigValue value) => value is ConfigScalar scalar ? HoconWriter.Scalar(scalar) : CanonicalJson.Write(value);
}
