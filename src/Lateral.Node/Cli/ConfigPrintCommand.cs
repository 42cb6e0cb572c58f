using System.CommandLine;
using System.Text.Json.Nodes;
using Lateral.Actors.Settings;
using Lateral.Configuration;
using Lateral.Node.Composition;

namespace Lateral.Node.Cli;

/// <summary><c>config print</c>: the resolved tree, which is a configuration file of its own; with <c>--origins</c> where each value was written.</summary>
internal static class ConfigPrintCommand
{
    public static Command Create(Terminal terminal)
    {
        var (files, sets, json) = (Options.Configs(), Options.Set(), Options.Json());
        var origins = new Option<bool>("--origins") { Description = "say file, line and column of every value" };
        var print = new Command("print", Help.Line("print every setting with its final value", "config print hocon/quickstart.conf --origins")) { files, sets, origins, json };
        print.SetAction(parsed => Print(terminal, parsed.GetValue(files)!, parsed.GetValue(sets) ?? [], parsed.GetValue(origins), parsed.GetValue(json)));
        return print;
    }

    /// <summary>A tree with mistakes is printed before they are told: where a value comes from is what one then wants to know.</summary>
    private static int Print(Terminal terminal, string[] files, string[] sets, bool origins, bool json)
    {
        var tree = Secrets.Redact(RunSettingsLoader.Resolve(files, sets));
        if (json && origins) ConfigCommand.WriteJson(terminal, new JsonArray([.. ConfigLeaves.Flatten(tree).Select(Leaf)]));
        else if (json) terminal.Out.WriteLine(CanonicalJson.Write(tree, indented: true, sorted: false));
        else terminal.Out.Write(HoconWriter.Write(tree, origins));
        _ = RunSettingsLoader.Load(files, sets, null, ShippedPlugins.All);
        return (int)ExitCode.Done;
    }

    private static JsonObject Leaf(ConfigLeaf leaf) => new() { ["key"] = leaf.Path, ["value"] = ConfigCommand.Json(leaf.Value), ["origin"] = leaf.Origin.ToString() };
}
