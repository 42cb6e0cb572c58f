using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using Lateral.Diffusion.Checkpoints;
using Lateral.Node.Composition;
using Lateral.Node.Display;
using Lateral.Node.Runs;

namespace Lateral.Node.Cli;

/// <summary><c>runs sparsity NAME</c>: which share of each matrix training has left as it was, at the precision that is stored.</summary>
internal static class SparsityOfRun
{
    public static Command Create(Terminal terminal, Option<string> folder, Option<bool> json)
    {
        var run = new Argument<string>("NAME") { Description = "a run, or one of its saved steps: first@120" };
        var since = new Option<int>("--since") { Description = "the step to compare with (default: 0, the base)" };
        var precision = new Option<string>("--precision") { Description = "both sides are rounded to it first: bf16, f16 or f32 (not at all)", DefaultValueFactory = _ => "bf16" };
        var tolerance = new Option<double>("--tolerance") { Description = "the greatest difference that counts as none", DefaultValueFactory = _ => 1e-5 };
        precision.AcceptOnlyFromAmong([.. UpdateSparsity.Precisions]);
        var sparsity = new Command("sparsity", Help.Line("how much of each matrix training has changed", "runs sparsity first --precision bf16")) { run, since, precision, tolerance };
        sparsity.SetAction(parsed =>
        {
            var catalog = RunsCommand.Catalog(parsed.GetValue(folder));
            var (name, step) = RunReference.Parse(parsed.GetValue(run)!);
            var directory = catalog.Find(name);
            RunComposition.RequireTorch(catalog.Load(directory, []).Settings, "cpu");
            var (before, after) = (SavedPolicy.Find(directory, parsed.GetValue(since)), SavedPolicy.Find(directory, step));
            var updates = UpdateSparsity.Between(directory.Resolve(before.Location), directory.Resolve(after.Location), parsed.GetValue(precision)!, parsed.GetValue(tolerance));
            if (parsed.GetValue(json))
            {
                foreach (var update in updates) terminal.Out.WriteLine(JsonSerializer.Serialize(update, JsonSerializerOptions.Web));
                return (int)ExitCode.Done;
            }

            var total = updates.Sum(update => update.Count);
            terminal.Out.WriteLine(string.Create(CultureInfo.InvariantCulture,
                $"{name}: step {before.Version} to {after.Version}, {parsed.GetValue(precision)}: {Words.Percent(updates.Sum(update => update.Unchanged * update.Count) / total)} of {Words.Count(total)} numbers unchanged (within {parsed.GetValue(tolerance):0.##e-0})"));
            var width = updates.Max(update => update.Name.Length);
            foreach (var update in updates)
                terminal.Out.WriteLine($"  {update.Name.PadRight(width)}  {string.Join(" x ", update.Shape),-12}  unchanged {Words.Percent(update.Unchanged),6}  relative change {update.RelativeNorm.ToString("0.0e-0", CultureInfo.InvariantCulture)}");
            return (int)ExitCode.Done;
        });
        return sparsity;
    }
}
