using System.Collections.Immutable;
using System.CommandLine;
using Lateral.Configuration;
using Lateral.Node.Display;
using Lateral.Node.Runs;

namespace Lateral.Node.Cli;

/// <summary><c>compare</c>: what two or more runs did differently, and what came of it; needs no torch.</summary>
internal static class CompareCommand
{
    /// <summary>Differ between any two runs and explain nothing.</summary>
    private static readonly string[] Identity = ["run.name", "run.dir"];

    public static Command Create(Terminal terminal)
    {
        var (folder, json) = (Options.RunsDir(), Options.Json());
        var names = new Argument<string[]>("NAME") { Description = "the runs, two or more", Arity = ArgumentArity.OneOrMore };
        var metric = new Option<string[]>("--metric") { Description = $"a metric to compare, repeatable (default: {string.Join(", ", RunComparison.Usual)})", HelpName = "METRIC" };
        var compare = new Command("compare", Help.Line("lay settings and metric curves of runs side by side", "compare first second --metric reward/mean")) { names, metric, folder, json };
        compare.SetAction(parsed =>
        {
            var comparison = Of(RunsCommand.Catalog(parsed.GetValue(folder)), [.. parsed.GetValue(names)!], parsed.GetValue(metric) ?? []);
            foreach (var line in parsed.GetValue(json) ? [comparison.ToJson()] : comparison.Lines()) terminal.Out.WriteLine(line);
            return (int)ExitCode.Done;
        });
        return compare;
    }

    private static RunComparison Of(RunCatalog catalog, ImmutableArray<string> names, string[] metrics)
    {
        if (names.Distinct(StringComparer.Ordinal).Count() < 2) throw new UserException(ExitCode.Usage, $"compare takes two or more different runs, got {string.Join(", ", names)}");
        ImmutableArray<RunDirectory> runs = [.. names.Distinct(StringComparer.Ordinal).Select(catalog.Find)];
        foreach (var metric in metrics) RequireKnown(metric, runs);
        return new RunComparison(
            [.. runs.Select(run => run.Name)],
            Differences([.. runs.Select(run => catalog.Load(run, []).Resolved)]),
            [.. (metrics.Length > 0 ? metrics : RunComparison.Usual).Select(metric => runs.Select(run => MetricSeries.Read(run, metric)).ToImmutableArray())]);
    }

    private static void RequireKnown(string metric, ImmutableArray<RunDirectory> runs)
    {
        var known = runs.SelectMany(MetricSeries.Names).Distinct(StringComparer.Ordinal).ToList();
        if (known.Contains(metric)) return;
        var advice = Suggestions.Closest(metric, known) is { } near ? $"did you mean {near}?" : $"there are {string.Join(", ", known.Order(StringComparer.Ordinal))}";
        throw new UserException(ExitCode.Usage, $"--metric {metric}: none of these runs has recorded it; {advice}");
    }

    /// <summary>Every key in which some run differs from the first, with the values of all.</summary>
    private static ImmutableArray<SettingRow> Differences(ImmutableArray<ConfigObject> trees)
    {
        var paths = trees.Skip(1).SelectMany(tree => ConfigDiff.Between(trees[0], tree)).Select(change => change.Path).Distinct(StringComparer.Ordinal).Except(Identity);
        var leaves = trees.Select(Leaves).ToImmutableArray();
        return [.. paths.Select(path => new SettingRow(path, [.. leaves.Select(run => Text(run.GetValueOrDefault(path)))]))];
    }

    /// <summary>Differences are found in the values themselves and told without secrets.</summary>
    private static Dictionary<string, ConfigValue?> Leaves(ConfigObject tree)
    {
        var nothing = new ConfigObject(tree.Origin, new OrderedDictionary<string, ConfigValue>());
        return ConfigDiff.Between(nothing, Secrets.Redact(tree)).ToDictionary(leaf => leaf.Path, leaf => leaf.After, StringComparer.Ordinal);
    }

    private static string? Text(ConfigValue? value) => value switch
    {
        null => null,
        ConfigScalar scalar => scalar.Text,
        _ => CanonicalJson.Write(value),
    };
}
