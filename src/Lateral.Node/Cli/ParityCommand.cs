using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using Lateral.Diffusion.Native;
using Lateral.Diffusion.Parity;
using Lateral.Diffusion.Tensors;

namespace Lateral.Node.Cli;

/// <summary><c>parity</c>: compares this program with a reference implementation's recorded results, a line for each case; exit code 1 where one differs.</summary>
internal static class ParityCommand
{
    public static Command Create(Terminal terminal)
    {
        var json = Options.Json();
        var directory = new Argument<string>("DIR") { Description = "a checkpoint with recorded results (case-*, gen-*, traj-*, lora-*) beside it, or a directory of such folders" };
        var parity = new Command("parity", Help.Line("compare with recorded results of reference implementations", "parity fixtures/")) { directory, json };
        parity.SetAction(parsed =>
        {
            var path = Path.GetFullPath(parsed.GetValue(directory)!);
            if (!Directory.Exists(path)) throw new UserException(ExitCode.Usage, $"DIR {path}: there is no such directory");
            NativeBootstrap.Load(null);
            // The checkpoints are tiny: two threads would wait for each other.
            TorchThreads.Use(1);
            var results = new List<ParityResult>();
            foreach (var result in ParitySuite.Run(path))
            {
                results.Add(result);
                if (!parsed.GetValue(json)) terminal.Out.WriteLine(Line(result));
            }

            if (results.Count == 0) throw new UserException(ExitCode.Usage, $"DIR {path} has no cases: neither it nor a folder in it");
            var (failed, skipped) = (results.Count(result => result.Failed), results.Count(result => result.Skipped));
            if (parsed.GetValue(json)) terminal.Out.WriteLine(JsonSerializer.Serialize(results.Select(result => new { result.Case, result.Passed, result.Skipped, Error = double.IsFinite(result.Error) ? result.Error : (double?)null, result.Detail }), JsonSerializerOptions.Web));
            else terminal.Out.WriteLine($"{results.Count - failed - skipped} passed, {failed} failed{(skipped > 0 ? $", {skipped} skipped" : "")}");
            return (int)(failed == 0 ? ExitCode.Done : ExitCode.Violated);
        });
        return parity;
    }

    private static string Line(ParityResult result) =>
        string.Create(CultureInfo.InvariantCulture, $"{(result.Passed ? "pass" : result.Skipped ? "skip" : "FAIL")} {result.Case} {(double.IsFinite(result.Error) ? result.Error.ToString("g3", CultureInfo.InvariantCulture) : "-")}{(result.Passed ? "" : $" {result.Detail}")}");
}
