using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using Lateral.Diffusion.Native;
using Lateral.Diffusion.Parity;

namespace Lateral.Node.Cli;

/// <summary><c>parity</c>: compares this program with a reference implementation's recorded results, a line for each case; exit code 1 where one differs.</summary>
internal static class ParityCommand
{
    public static Command Create(Terminal terminal)
    {
        var json = Options.Json();
        var directory = new Argument<string>("DIR") { Description = "a checkpoint with recorded results (case-*, gen-*) beside it, or a directory of such folders" };
        var parity = new Command("parity", Help.Line("compare with recorded results of reference implementations", "parity fixtures/")) { directory, json };
        parity.SetAction(parsed =>
        {
            var path = Path.GetFullPath(parsed.GetValue(directory)!);
            if (!Directory.Exists(path)) throw new UserException(ExitCode.Usage, $"DIR {path}: there is no such directory");
            NativeBootstrap.Load(null);
            var results = new List<ParityResult>();
            foreach (var result in ParitySuite.Run(path))
            {
                results.Add(result);
                if (!parsed.GetValue(json)) terminal.Out.WriteLine(Line(result));
            }

            if (results.Count == 0) throw new UserException(ExitCode.Usage, $"DIR {path} has no folder with config.json, weights and cases");
            var failed = results.Count(result => !result.Passed);
            if (parsed.GetValue(json)) terminal.Out.WriteLine(JsonSerializer.Serialize(results.Select(result => new { result.Case, result.Passed, Error = double.IsFinite(result.Error) ? result.Error : (double?)null, result.Detail }), JsonSerializerOptions.Web));
            else terminal.Out.WriteLine($"{results.Count - failed} passed, {failed} failed");
            return (int)(failed == 0 ? ExitCode.Done : ExitCode.Violated);
        });
        return parity;
    }

    private static string Line(ParityResult result) =>
        string.Create(CultureInfo.InvariantCulture, $"{(result.Passed ? "pass" : "FAIL")} {result.Case} {(double.IsFinite(result.Error) ? result.Error.ToString("g3", CultureInfo.InvariantCulture) : "-")}{(result.Passed ? "" : $" {result.Detail}")}");
}
