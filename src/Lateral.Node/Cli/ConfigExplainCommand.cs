using System.CommandLine;
using System.Text.Json.Nodes;
using Lateral.Actors.Settings;
using Lateral.Configuration;
using Lateral.Node.Composition;

namespace Lateral.Node.Cli;

/// <summary><c>config explain KEY</c>: what reference.conf says of a key, its default, and its value in a configuration.</summary>
internal static class ConfigExplainCommand
{
    public static Command Create(Terminal terminal)
    {
        var (sets, json) = (Options.Set(), Options.Json());
        var key = new Argument<string?>("KEY") { Description = "a setting or a section, such as algorithm.lr; without, every section", Arity = ArgumentArity.ZeroOrOne };
        var files = new Argument<string[]>("CONF") { Description = "configuration files, to see the value there and where it was written", Arity = ArgumentArity.ZeroOrMore };
        var markdown = new Option<bool>("--markdown") { Description = "print the page of all settings, docs/configuration.md" };
        var explain = new Command("explain", Help.Line("say what a setting means, its range, its default and its value", "config explain algorithm.lr hocon/quickstart.conf")) { key, files, sets, markdown, json };
        explain.SetAction(parsed =>
        {
            var guide = RunSettingsLoader.Guide(ShippedPlugins.All);
            if (parsed.GetValue(markdown)) terminal.Out.Write(SettingsPage.Write(guide));
            else if (parsed.GetValue(key) is not { } path) List(terminal, guide, "", parsed.GetValue(json));
            else
            {
                var (conf, laid) = (parsed.GetValue(files) ?? [], parsed.GetValue(sets) ?? []);
                Explain(terminal, guide, path, conf.Length + laid.Length > 0 ? RunSettingsLoader.Resolve(conf, laid) : null, parsed.GetValue(json));
            }

            return (int)ExitCode.Done;
        });
        return explain;
    }

    private static void Explain(Terminal terminal, ReferenceGuide guide, string path, ConfigObject? tree, bool json)
    {
        var here = tree is null ? null : ConfigLeaves.Flatten(tree).FirstOrDefault(leaf => leaf.Path == path);
        var entries = guide.Find(path);
        if (entries.Count == 0) throw new UserException(ExitCode.Usage, $"there is no setting {path}; {Advice(guide, path)}");
        if (json)
        {
            ConfigCommand.WriteJson(terminal, new JsonArray([.. entries.Select(entry => Entry(entry, path, here))]));
            return;
        }

        foreach (var entry in entries)
        {
            terminal.Out.WriteLine(entry.Path == path ? path : $"{path}, as {entry.Path}");
            if (entry.Comment.Length > 0) terminal.Out.WriteLine($"  {entry.Comment}");
            if (!entry.IsSection) terminal.Out.WriteLine($"  default  {entry.Default}  ({entry.Origin})");
        }

        if (here is not null) terminal.Out.WriteLine($"  here     {Text(ConfigCommand.Shown(path, here.Value))}  ({here.Origin})");
        if (entries is [{ IsSection: true }]) List(terminal, guide, path, json: false);
    }

    private static void List(Terminal terminal, ReferenceGuide guide, string path, bool json)
    {
        var entries = (path.Length == 0 ? guide.Entries.Where(entry => !entry.Path.Contains('.', StringComparison.Ordinal)) : guide.Below(path)).ToList();
        if (json)
        {
            ConfigCommand.WriteJson(terminal, new JsonArray([.. entries.Select(entry => Entry(entry, entry.Path, null))]));
            return;
        }

        string Head(ReferenceEntry entry) => entry.IsSection ? $"{entry.Path} {{...}}" : $"{entry.Path} = {entry.Default}";
        var width = entries.Select(entry => Head(entry).Length).DefaultIfEmpty().Max();
        foreach (var entry in entries) terminal.Out.WriteLine($"  {Head(entry).PadRight(width)}  {SettingsPage.FirstSentence(entry.Comment)}".TrimEnd());
    }

    private static string Advice(ReferenceGuide guide, string path)
    {
        // A key that exists nowhere may still have its section right.
        if (guide.Nearest(path) is { Count: > 0 } near) return $"did you mean {string.Join(" or ", near.Take(4))}?";
        var section = path.Contains('.', StringComparison.Ordinal) ? path[..path.LastIndexOf('.')] : "";
        return guide.Find(section).Count > 0 ? $"see {Commands.Program} config explain {section}" : $"see {Commands.Program} config explain";
    }

    private static JsonObject Entry(ReferenceEntry entry, string path, ConfigLeaf? here)
    {
        var node = new JsonObject
        {
            ["key"] = path,
            ["from"] = entry.Path,
            ["meaning"] = entry.Comment,
            ["default"] = entry.IsSection ? null : ConfigCommand.Json(entry.Value),
            ["origin"] = entry.Origin.ToString(),
        };
        if (here is not null) (node["value"], node["writtenAt"]) = (ConfigCommand.Json(ConfigCommand.Shown(path, here.Value)), here.Origin.ToString());
        return node;
    }

    private static string Text(ConfigValue value) => value is ConfigScalar scalar ? HoconWriter.Scalar(scalar) : CanonicalJson.Write(value);
}
