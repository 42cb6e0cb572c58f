using Lateral.Actors;
using Lateral.Actors.Settings;
using Lateral.Benchmarks.Measuring;
using Lateral.Core.Runs;
using Microsoft.Data.Sqlite;
using static Lateral.Benchmarks.Measuring.Report;

namespace Lateral.Benchmarks.Runs;

/// <summary>The real run host with its cluster, sharding and SQLite journal over engines that cost nothing.</summary>
internal static class JournalBenchmark
{
    /// <summary>Start-up and the first snapshots are not a step's cost.</summary>
    private const int Skipped = 10;

    private const double LongStep = 10;

    private static readonly TimeSpan Deadline = TimeSpan.FromMinutes(10);

    public static async Task RunAsync(Options options, Report report)
    {
        using var folder = new TemporaryFolder();
        var steps = options.Quick ? 30 : 110;
        var quickstart = await QuickstartStepAsync(folder.Path, options.Quick ? 20 : 60);
        List<string[]> rows = [["32 x 16 rollouts of", "ms wall a step", "ms cpu a step", "events a step", "bytes a token", "of a quickstart step, cpu", $"of a {LongStep:0} s step, wall"]];
        foreach (var (length, denoising) in new[] { (5, 3), (256, 64) })
        {
            var (step, events, bytes) = await MeasureAsync(Path.Combine(folder.Path, $"length-{length}"), length, denoising, steps);
            rows.Add(
            [
                $"{length} tokens", Number(1e3 * step.Wall, "0.0"), Number(1e3 * step.Cpu, "0.0"), Number(events, "0.0"), Number(bytes, "0.0"),
                length == 5 ? Number(step.Cpu / quickstart.Cpu, "0.0 %") : "-", Number(step.Wall / LongStep, "0.00 %"),
            ]);
        }

        report.Table(rows);
        report.Line($"a quickstart step, measured here: {1e3 * quickstart.Wall:0} ms wall, {1e3 * quickstart.Cpu:0} ms cpu; both include the journal's part");
    }

    /// <summary>Seconds a step of the real quickstart after a short warm-up of the base, evaluations outside.</summary>
    private static async Task<Cost> QuickstartStepAsync(string folder, int steps)
    {
        string[] sets = ["warmup.steps=60", "eval.every=0", "eval.final-prompts=64", "eval.samples=1"];
        // Start-up and the base's warm-up are the same in both and fall out of the difference.
        var few = await TimedAsync(Skipped);
        var many = await TimedAsync(steps + Skipped);
        return new Cost((many.Wall - few.Wall) / steps, (many.Cpu - few.Cpu) / steps);

        async Task<Cost> TimedAsync(int count)
        {
            var start = Cost.Now;
            await RealRun.TrainAsync("quickstart.conf", folder, $"quickstart-{count}", [.. sets, $"run.steps={count}"]);
            return Cost.Now - start;
        }
    }

    private static async Task<(Cost Step, double Events, double BytesPerToken)> MeasureAsync(string directory, int length, int denoising, int steps)
    {
        Directory.CreateDirectory(directory);
        var settings = RunSettingsLoader.Load(
            [Path.Combine(Repository.Root, "hocon", "quickstart.conf")],
            [$"run.steps={steps}", "eval.every=0", "checkpoint.every=1"]).Settings;
        var spec = settings.Rollout.Spec with { GenLength = length, BlockLength = length, Steps = denoising };
        settings = settings with { Directory = directory, Rollout = settings.Rollout with { Spec = spec } };
        var engines = new FreeEngines(spec);
        await using (var host = await RunHost.StartAsync(settings, engines.ToRunEngines())) await host.Completion.WaitAsync(Deadline);

        var step = (engines.Trained[^1] - engines.Trained[Skipped]) / (engines.Trained.Count - 1 - Skipped);
        var (events, bytes) = Journal(directory);
        var tokens = (double)steps * settings.Rollout.GroupsPerStep * settings.Rollout.GroupSize * length;
        return (step, (double)events / steps, bytes / tokens);
    }

    private static (long Events, long Bytes) Journal(string directory)
    {
        using var connection = new SqliteConnection($"Data Source={Path.Combine(directory, "journal.db")};Mode=ReadOnly;Pooling=False");
        connection.Open();
        using var command = connection.CreateCommand();
        command.CommandText = "SELECT COUNT(*), SUM(LENGTH(message)) FROM journal";
        using var reader = command.ExecuteReader();
        reader.Read();
        return (reader.GetInt64(0), reader.GetInt64(1));
    }
}
