using System.Text.Json;
using Lateral.Actors;
using Lateral.Node.Cli;

namespace Lateral.Benchmarks.Runs;

/// <summary>One line of a run's metrics.jsonl by metric name.</summary>
internal sealed class StepMetrics(IReadOnlyDictionary<string, double> values)
{
    public double this[string name] => values.TryGetValue(name, out var value) ? value : throw new InvalidOperationException($"step {Step} has no metric {name}");

    public int Step => (int)values["step"];

    public bool Has(string name) => values.ContainsKey(name);
}

/// <summary>Trains through the command line, as a user does, and reads what the run recorded.</summary>
internal static class RealRun
{
    /// <summary>A finished run of this name is read, not repeated, and one that was begun goes on: so does an interrupted experiment.</summary>
    /// <param name="conf">relative to hocon/</param>
    /// <exception cref="RunFailedException">the run failed or was interrupted; the message is the program's own</exception>
    public static Task<RunFiles> TrainAsync(string conf, string folder, string name, params string[] sets) => TrainAsync(conf, folder, name, files => files.Finished, sets);

    /// <summary>The same for a run whose training is supervised only.</summary>
    /// <inheritdoc cref="TrainAsync(string, string, string, string[])"/>
    public static Task<RunFiles> TrainBaseAsync(string conf, string folder, string name, params string[] sets) => TrainAsync(conf, folder, name, files => files.BaseEvaluated, ["run.steps = 0", .. sets]);

    private static async Task<RunFiles> TrainAsync(string conf, string folder, string name, Func<RunFiles, bool> finished, string[] sets)
    {
        var files = new RunFiles(Path.Combine(folder, name));
        if (finished(files)) return files;
        // One that was begun is resumed from its journal.
        string[] arguments = File.Exists(Path.Combine(files.Root, "journal.db"))
            ? ["resume", name, "--runs-dir", folder]
            : ["train", Path.Combine(Repository.Root, "hocon", conf), "--runs-dir", folder, "--name", name, "--set", "reward.on-constant=go-on", .. sets.SelectMany(set => new[] { "--set", set })];
        await using var log = new StreamWriter(Path.Combine(Directory.CreateDirectory(folder).FullName, $"{name}.log"));
        using var mistakes = new StringWriter();
        var code = await CommandLine.RunAsync(arguments, new Terminal(log, mistakes, null));
        return code == 0 ? files : throw new RunFailedException($"run {name} ended with exit code {code}: {mistakes}");
    }
}

/// <summary>A run directory as it is read here.</summary>
internal sealed record RunFiles(string Root)
{
    public string Base => Path.Combine(Root, "checkpoints", "step_0");

    public bool Finished => File.Exists(MetricsFile) && Steps() is [.., var last] && last.Has("eval/greedy");

    public bool BaseEvaluated => File.Exists(EvaluationsFile) && Evaluations().Count > 0;

    /// <summary>Evaluations by step, that of the base included.</summary>
    public List<StepMetrics> Evaluations() => Read(EvaluationsFile);

    public List<StepMetrics> Steps() => Read(MetricsFile);

    private string EvaluationsFile => Path.Combine(Root, "eval.jsonl");

    private string MetricsFile => Path.Combine(Root, "metrics.jsonl");

    private static List<StepMetrics> Read(string path) =>
        [.. File.ReadLines(path).Select(line => new StepMetrics(JsonSerializer.Deserialize<Dictionary<string, double>>(line)!))];
}

/// <summary>The clone this program was built in.</summary>
internal static class Repository
{
    public static string Root { get; } = Find();

    private static string Find()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (folder is not null && !File.Exists(Path.Combine(folder.FullName, "Actors.sln"))) folder = folder.Parent;
        return folder?.FullName ?? throw new InvalidOperationException($"no Actors.sln above {AppContext.BaseDirectory}: run this from a clone");
    }
}
