using System.Collections.Concurrent;
using System.Collections.Immutable;
using System.Diagnostics;
using Lateral.Actors;
using Lateral.Actors.Hosting;
using Lateral.Benchmarks.Measuring;
using Lateral.Node.Sessions;
using static Lateral.Benchmarks.Measuring.Report;

namespace Lateral.Benchmarks.Runs;

/// <summary>
/// A cluster of real processes: seconds until it trains, and, after a process is killed with SIGKILL, until the run has trained its
/// next step. The processes are those that <c>demo-cluster</c> starts, with a SQLite journal; and once more with a second
/// coordinator that stands by, which needs PostgreSQL.
/// </summary>
internal static class ClusterBenchmark
{
    private const string Conf = """
        run { name = cluster, steps = 1000000, seed = 11 }
        task { name = sort5 }
        reward.pools.answer { kind = sort }
        reward.on-constant = go-on
        warmup { steps = 30, batch = 64, lr = 3e-3 }
        model.size { width = 32, layers = 2, heads = 2, mlp = 64 }
        rollout { groups-per-step = 8, group-size = 16, gen-length = 5, block-length = 5, steps = 3 }
        eval { every = 0, final-prompts = 32, samples = 1 }
        checkpoint { every = 5, keep-last = 3 }
        """;

    private static readonly TimeSpan Deadline = TimeSpan.FromMinutes(3);

    public static async Task RunAsync(Options options, Report report)
    {
        List<string[]> rows = [["heartbeat-pause / stable-after", "all joined", "first step", .. Roles.Select(role => $"{role} killed")]];
        foreach (var (pause, stable) in new[] { ("3s", "7s"), ("2s", "3s") }) rows.Add([$"{pause} / {stable}", .. await MeasureAsync(pause, stable, options.Quick ? 1 : 3)]);
        report.Table(rows);
        report.Line($"seconds; for a killed process until the next step of the run, median (and worst) of several kills, the process being started again after .5 s");
        if (TemporaryPostgres.Programs is null)
        {
            report.Line($"without a coordinator that stands by: PostgreSQL's programs are not installed");
            return;
        }

        rows = [["heartbeat-pause / stable-after", "coordinator killed, one stands by"]];
        foreach (var (pause, stable) in new[] { ("3s", "7s"), ("2s", "3s") }) rows.Add([$"{pause} / {stable}", await FailOverAsync(pause, stable, options.Quick ? 1 : 3)]);
        report.Table(rows);
    }

    private static string[] Roles { get; } = ["sampler", "reward", "learner", "coordinator"];

    /// <summary>Each coordinator in turn: the one that is killed stands by when it is back.</summary>
    private static async Task<string> FailOverAsync(string pause, string stable, int kills)
    {
        using var folder = new TemporaryFolder();
        var password = Guid.NewGuid().ToString("n");
        await using var server = await TemporaryPostgres.StartAsync(password);
        var conf = Path.Combine(folder.Path, "run.conf");
        await File.WriteAllTextAsync(conf, $$"""
            {{Conf}}
            journal { kind = postgres, connection-string = "{{server.ConnectionString}}", password = ${?LATERAL_DB_PASSWORD}, schema = lateral_failover }
            topology.roles { coordinator.nodes = 2, sampler.nodes = 2 }
            """);
        NodePart Coordinator(string name) => Part(folder.Path, conf, pause, stable, name, "coordinator", runs: name) with { Environment = ImmutableDictionary<string, string>.Empty.Add("LATERAL_DB_PASSWORD", password) };
        NodePart Other(string name, string role) => Part(folder.Path, conf, pause, stable, name, role);
        var lines = new ConcurrentQueue<string>();
        string[] coordinators = ["one", "two"];
        await using var nodes = new NodeProcesses([.. coordinators.Select(Coordinator), Other("learner", "learner"), Other("sampler", "sampler"), Other("other", "sampler"), Other("reward", "reward")], lines.Enqueue);
        using var interruption = new Interruption();
        var running = nodes.RunAsync(interruption);
        await UntilAsync(running, lines, said => said.Contains("| step 1/", StringComparison.Ordinal));
        var seconds = new List<double>();
        for (var kill = 0; kill < kills; kill++)
        {
            // Long enough for the one that was killed to be let in again.
            await Task.Delay(TimeSpan.FromSeconds(20));
            seconds.Add(await KilledAsync(nodes, running, lines, coordinators[kill % 2]));
        }

        interruption.Signal();
        await running.WaitAsync(Deadline);
        return $"{Number(Spread.Of(seconds).Median, "0.0")} ({Number(seconds.Max(), "0.0")})";
    }

    private static async Task<List<string>> MeasureAsync(string pause, string stable, int kills)
    {
        using var folder = new TemporaryFolder();
        var conf = Path.Combine(folder.Path, "run.conf");
        await File.WriteAllTextAsync(conf, Conf);
        NodePart Of(string name, string role) => Part(folder.Path, conf, pause, stable, name, role);
        var lines = new ConcurrentQueue<string>();
        await using var nodes = new NodeProcesses([Of("coordinator", "coordinator"), Of("learner", "learner"), Of("sampler", "sampler"), Of("other", "sampler"), Of("reward", "reward")], lines.Enqueue);
        using var interruption = new Interruption();
        var started = Stopwatch.GetTimestamp();
        var running = nodes.RunAsync(interruption);
        await UntilAsync(running, lines, said => said.Contains("| warm-up", StringComparison.Ordinal));
        var joined = Stopwatch.GetElapsedTime(started).TotalSeconds;
        await UntilAsync(running, lines, said => said.Contains("| step 1/", StringComparison.Ordinal));
        List<string> cells = [Number(joined, "0.0"), Number(Stopwatch.GetElapsedTime(started).TotalSeconds, "0.0")];
        foreach (var role in Roles)
        {
            var seconds = new List<double>();
            for (var kill = 0; kill < kills; kill++)
            {
                seconds.Add(await KilledAsync(nodes, running, lines, role));
                await UntilAsync(running, lines, _ => nodes.PidOf(role) is not null);
            }

            cells.Add($"{Number(Spread.Of(seconds).Median, "0.0")} ({Number(seconds.Max(), "0.0")})");
        }

        interruption.Signal();
        await running.WaitAsync(Deadline);
        return cells;
    }

    private static NodePart Part(string folder, string conf, string pause, string stable, string name, string role, string runs = "runs")
    {
        string[] sets = [$"topology.cluster {{ dir = \"{folder}/meet\", heartbeat-pause = {pause}, stable-after = {stable} }}", $"policies.cache-dir = \"{folder}/policies\"", "topology.roles.sampler.nodes = 2"];
        return new(name, ["node", conf, "--role", role, "--as", name, "--runs-dir", Path.Combine(folder, runs), .. sets.SelectMany(set => new[] { "--set", set })], role == "coordinator");
    }

    /// <returns>seconds until the next step</returns>
    private static async Task<double> KilledAsync(NodeProcesses nodes, Task running, ConcurrentQueue<string> lines, string name)
    {
        // The run is well again before it is hurt again.
        await NextStepsAsync(running, lines, 3);
        using (var process = Process.GetProcessById(nodes.PidOf(name) ?? throw new RunFailedException($"{name} does not run"))) process.Kill();
        var killed = Stopwatch.GetTimestamp();
        await NextStepsAsync(running, lines, 1);
        return Stopwatch.GetElapsedTime(killed).TotalSeconds;
    }

    private static Task NextStepsAsync(Task running, ConcurrentQueue<string> lines, int steps)
    {
        var before = lines.Count(IsStep);
        return UntilAsync(running, lines, _ => lines.Count(IsStep) >= before + steps);

        static bool IsStep(string line) => line.StartsWith("learner | step ", StringComparison.Ordinal);
    }

    private static async Task UntilAsync(Task running, ConcurrentQueue<string> lines, Func<string, bool> said)
    {
        using var deadline = new CancellationTokenSource(Deadline);
        while (!lines.Any(said))
        {
            if (running.IsCompleted || deadline.IsCancellationRequested) throw new RunFailedException($"the cluster {(running.IsCompleted ? "ended" : "stands still")}:\n{string.Join('\n', lines.TakeLast(40))}");
            await Task.Delay(10);
        }
    }
}
