using System.CommandLine;
using System.Text.Json;
using Lateral.Node.Composition;
using Lateral.Node.Runs;

namespace Lateral.Node.Cli;

/// <summary><c>export</c>: a saved policy as a model directory, or as an adapter's; needs torch only to put an adapter into weights.</summary>
internal static class ExportCommand
{
    public static Command Create(Terminal terminal)
    {
        var (run, folder, json) = (Options.RunAtStep(), Options.RunsDir(), Options.Json());
        var to = new Option<string>("--to") { Description = "the directory to write; it must be new or empty", HelpName = "DIR", Required = true };
        var format = new Option<string>("--format") { Description = "hf: a whole model in the layout of released ones, an adapter in its weights; peft: the adapter's files", DefaultValueFactory = _ => "hf" };
        format.AcceptOnlyFromAmong("hf", "peft");
        var export = new Command("export", Help.Line("write a saved policy as a model directory", "export first@120 --to models/first")) { run, to, format, folder, json };
        export.SetAction(parsed =>
        {
            var catalog = RunsCommand.Catalog(parsed.GetValue(folder));
            var (name, step) = RunReference.Parse(parsed.GetValue(run)!);
            var directory = catalog.Find(name);
            var target = parsed.GetValue(to)!;
            var origin = ModelExport.Write(directory, catalog.Load(directory, []), SavedPolicy.Find(directory, step), target, parsed.GetValue(format) == "peft" ? ExportFormat.Peft : ExportFormat.Hf);
            if (parsed.GetValue(json))
            {
                terminal.Out.WriteLine(JsonSerializer.Serialize(new { Directory = Path.GetFullPath(target), origin.Run, origin.Step, origin.Task, origin.ForkedFrom, origin.Sha256, origin.Evaluation }, JsonSerializerOptions.Web));
                return (int)ExitCode.Done;
            }

            // A bare name would be taken for a run.
            var shown = Path.GetFileName(target) == target ? $"./{target}" : target;
            terminal.Out.WriteLine($"{origin.Run}@{origin.Step} is in {Path.GetFullPath(target)}, weights SHA-256 {origin.Sha256}");
            if (parsed.GetValue(format) == "peft") return (int)ExitCode.Done;
            terminal.Out.WriteLine($"  evaluate it    {Commands.Program} eval {shown}");
            terminal.Out.WriteLine($"  try it         {Commands.Program} sample {shown}");
            terminal.Out.WriteLine($"  start from it  {Commands.Program} train CONF --set model.path={shown} --set warmup.steps=0");
            return (int)ExitCode.Done;
        });
        return export;
    }
}
