using System.Collections.Immutable;
using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using Lateral.Actors.Settings;
using Lateral.Configuration;
using Lateral.Core;
using Lateral.Node.Comparison;

namespace Lateral.Node.Cli;

/// <summary><c>compare-algorithms</c>: algorithms from one base on equal budgets, as one table and one plot.</summary>
internal static class CompareAlgorithmsCommand
{
    private const string DefaultFolder = "comparison";

    public static Command Create(Terminal terminal)
    {
        var confs = new Argument<string[]>("CONF") { Description = "what all have in common: files laid over one another", Arity = ArgumentArity.OneOrMore };
        var algorithms = new Option<string>("--algorithms") { Description = "comma-separated: files, or names of files in algorithms/ beside the first CONF", HelpName = "A,B,C", Required = true };
        var seeds = new Option<int>("--seeds") { Description = "runs of each algorithm, with seeds 1 to N", DefaultValueFactory = _ => 3 };
        var budget = new Option<string>("--budget") { Description = "training time of each run, for example 30s or 5 minutes", DefaultValueFactory = _ => "30s" };
        var prompts = new Option<int>("--prompts") { Description = "held-out prompts that each result is evaluated on", DefaultValueFactory = _ => 1024 };
        var folder = new Option<string>("--out") { Description = "folder of the runs, the table and the plot; what is there already is not run again", DefaultValueFactory = _ => DefaultFolder, HelpName = "DIR" };
        var (sets, json) = (Options.Set(), Options.Json());
        var compare = new Command(
            "compare-algorithms", Help.Line("train with several algorithms from one base on equal budgets", "compare-algorithms hocon/quickstart.conf --algorithms grpo-behaviour-clip,espo --seeds 3 --budget 30s"))
        {
            confs, algorithms, seeds, budget, prompts, folder, sets, json,
        };
        compare.SetAction(async (parsed, cancellation) =>
        {
            var (files, own) = (parsed.GetValue(confs)!.ToImmutableArray(), (parsed.GetValue(sets) ?? []).ToImmutableArray());
            var chosen = Named(parsed.GetValue(algorithms)!, files, own);
            var target = Path.GetFullPath(parsed.GetValue(folder)!);
            Directory.CreateDirectory(target);
            var comparison = new AlgorithmComparison(files, own, target, Budget(parsed.GetValue(budget)!), AtLeastOne("--prompts", parsed.GetValue(prompts)), terminal.Error.WriteLine);
            var runs = await comparison.RunAsync(chosen, AtLeastOne("--seeds", parsed.GetValue(seeds)), cancellation);
            string[] table = [.. ComparisonTable.Lines(chosen, runs)];
            DurableFile.WriteText(Path.Combine(target, "table.md"), string.Join('\n', table) + "\n");
            DurableFile.WriteText(Path.Combine(target, "plot.svg"), ComparisonPlot.Svg([.. chosen.Where(algorithm => !algorithm.IsSupervised)], runs));
            foreach (var line in parsed.GetValue(json) ? runs.Select(ToJson) : table) terminal.Out.WriteLine(line);
            terminal.Error.WriteLine($"table and plot are in {target}");
            return (int)(runs.Any(run => run.Failure is null) ? ExitCode.Done : ExitCode.Resumable);
        });
        return compare;
    }

    /// <exception cref="UserException">no such file, or a name twice</exception>
    private static ImmutableArray<ComparedAlgorithm> Named(string list, ImmutableArray<string> confs, ImmutableArray<string> sets)
    {
        var names = list.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
        if (names.Length == 0) throw new UserException(ExitCode.Usage, "--algorithms names none; for example --algorithms grpo-behaviour-clip,espo");
        if (names.GroupBy(name => name, StringComparer.Ordinal).FirstOrDefault(same => same.Count() > 1) is { } twice) throw new UserException(ExitCode.Usage, $"--algorithms names {twice.Key} twice");
        return [.. names.Select(name => FileOf(name, confs[0])).Select(file => new ComparedAlgorithm(Path.GetFileNameWithoutExtension(file), file, RunSettingsLoader.Load([.. confs, file], [.. sets]).Settings))];
    }

    private static string FileOf(string name, string conf)
    {
        if (File.Exists(name)) return name;
        var folder = Path.Combine(Path.GetDirectoryName(Path.GetFullPath(conf))!, "algorithms");
        var file = Path.Combine(folder, $"{name}.conf");
        if (File.Exists(file)) return file;
        string[] known = Directory.Exists(folder) ? [.. Directory.EnumerateFiles(folder, "*.conf").Select(path => Path.GetFileNameWithoutExtension(path)).Order(StringComparer.Ordinal)] : [];
        var advice = Suggestions.Closest(name, known) is { } near ? $"did you mean {near}?" : known.Length == 0 ? $"there is no folder {folder}" : $"there are {string.Join(", ", known)}";
        throw new UserException(ExitCode.Usage, $"--algorithms {name}: no such file, and no {name}.conf in {folder}; {advice}");
    }

    private static TimeSpan Budget(string text)
    {
        var errors = new List<ConfigError>();
        var value = new ConfigReader(Hocon.Load([], [$"budget = {text}"], null), errors).Duration("budget", TimeSpan.FromSeconds(1), TimeSpan.FromDays(7));
        return errors.Count == 0 ? value : throw new UserException(ExitCode.Usage, $"--budget {text}: {errors[0].Message}");
    }

    private static int AtLeastOne(string option, int value) => value >= 1 ? value : throw new UserException(ExitCode.Usage, $"{option} must be at least 1, got {value.ToString(CultureInfo.InvariantCulture)}");

    private static string ToJson(ComparedRun run) => JsonSerializer.Serialize(
        new { run.Algorithm, run.Seed, Steps = run.Steps.Length, LateReward = Finite(run.LateReward), PassAt1 = Finite(run.PassAt1), run.Failure }, new JsonSerializerOptions(JsonSerializerDefaults.Web));

    private static double? Finite(double value) => double.IsFinite(value) ? value : null;
}
