using System.CommandLine;
using System.Text.Json;
using Lateral.Actors.Settings;
using Lateral.Node.Composition;

namespace Lateral.Node.Cli;

/// <summary><c>init</c>: a configuration file of one's own to begin with, every key explained.</summary>
internal static class InitCommand
{
    public static Command Create(Terminal terminal)
    {
        var json = Options.Json();
        var file = new Argument<string>("FILE") { Description = "the file to write; its name becomes the run's", DefaultValueFactory = _ => "quickstart.conf" };
        var recipe = new Option<string>("--recipe") { Description = $"what to begin with: {string.Join(", ", StarterConfig.Recipes)}", DefaultValueFactory = _ => "quickstart" };
        recipe.AcceptOnlyFromAmong([.. StarterConfig.Recipes]);
        var init = new Command("init", Help.Line("write a commented configuration to begin with", "init mine.conf --recipe sort6")) { file, recipe, json, InitRewardCommand.Create(terminal) };
        init.SetAction(parsed =>
        {
            var path = parsed.GetValue(file)!;
            Write(path, parsed.GetValue(recipe)!);
            if (parsed.GetValue(json)) terminal.Out.WriteLine(JsonSerializer.Serialize(new { file = Path.GetFullPath(path), recipe = parsed.GetValue(recipe) }));
            else foreach (var line in Next(path)) terminal.Out.WriteLine(line);
            return (int)ExitCode.Done;
        });
        return init;
    }

    private static void Write(string path, string recipe)
    {
        if (File.Exists(path)) throw new UserException(ExitCode.Usage, $"{path} exists and is not overwritten; name another file, or go on with {Commands.Program} train {path}");
        if (Directory.Exists(path)) throw new UserException(ExitCode.Usage, $"{path} is a folder; name a file, for example {Path.Combine(path, "quickstart.conf")}");
        var text = StarterConfig.Write(recipe, Path.GetFileNameWithoutExtension(path));
        EnvironmentProblem.Explain($"{path} cannot be written", () => File.WriteAllText(path, text));
        try
        {
            // The name comes from the user and may be no run's.
            _ = RunSettingsLoader.Load([path], [], null, ShippedPlugins.All);
        }
        catch
        {
            File.Delete(path);
            throw;
        }
    }

    private static IEnumerable<string> Next(string path) =>
    [
        $"wrote {path}",
        $"  start it           {Commands.Program} train {path}",
        $"  what it means      {Commands.Program} config check {path}",
        $"  does it fit here   {Commands.Program} doctor {path}",
    ];
}
