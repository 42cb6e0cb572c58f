using Lateral.Benchmarks.Measuring;

namespace Lateral.Benchmarks.Runs;

/// <summary>Whole runs of hocon/experiments/heavy-tail.conf, synchronous and asynchronous in turn, from one base.</summary>
internal static class AsyncBenchmark
{
    private const string Conf = "experiments/heavy-tail.conf";
    private const int Eta = 2;

    /// <summary>Steps before the pipeline is full.</summary>
    private const int Skipped = 2 * Eta + 2;

    public static async Task RunAsync(Options options, Report report)
    {
        using var folder = new TemporaryFolder(options.RunsDir);
        var (pairs, steps) = options.Quick ? (1, 20) : (4, 40);
        var start = (await RealRun.TrainAsync(Conf, folder.Path, "heavy-tail-base", "run.steps=1")).Base;
        var (synchronous, asynchronous) = (new List<Arm>(), new List<Arm>());
        for (var pair = 1; pair <= pairs; pair++)
        {
            synchronous.Add(await TrainAsync(0, pair));
            asynchronous.Add(await TrainAsync(Eta, pair));
        }

        report.Table([Arm.Header, Arm.Row("synchronous", synchronous), Arm.Row($"asynchronous, eta = {Eta}", asynchronous)]);
        report.Line($"steps per second, asynchronous over synchronous: {Spread.Of(synchronous.Zip(asynchronous, (sync, async) => sync.Step / async.Step))}");
        report.Line($"limit by the synchronous runs' own seconds, step / max(g, t): {Spread.Of(synchronous.Select(arm => arm.Step / Math.Max(arm.Generate, arm.Train)))}");
        report.Line($"speedup/predicted as the asynchronous runs print it: {Spread.Of(asynchronous.Select(arm => arm.Predicted))}; speedup/measured: {Spread.Of(asynchronous.Select(arm => arm.Measured))}");

        async Task<Arm> TrainAsync(int eta, int pair)
        {
            var files = await RealRun.TrainAsync(
                Conf, folder.Path, $"heavy-tail-eta-{eta}-{pair}", $"model.path={start}", "warmup.steps=0", $"run.steps={steps}", $"staleness.max-versions={eta}");
            return Arm.Of(files.Steps()[Skipped..^1]);
        }
    }
}
