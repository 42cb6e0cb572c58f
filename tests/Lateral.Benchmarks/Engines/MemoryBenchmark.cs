using Lateral.Benchmarks.Measuring;
using TorchSharp;
using static Lateral.Benchmarks.Measuring.Report;

namespace Lateral.Benchmarks.Engines;

/// <summary>Live tensors, resident and managed memory of the engines over time, at moments when nothing is in flight.</summary>
internal static class MemoryBenchmark
{
    private static readonly string[] Header = ["", "live tensors", "resident MiB", "managed MiB"];

    public static async Task RunAsync(Options options, Report report)
    {
        report.Table([Header, .. await SamplerAsync(options.Quick ? 200 : 2000), .. await LearnerAsync(options.Quick ? 20 : 200)]);
    }

    private static async Task<List<string[]>> SamplerAsync(int steps)
    {
        using var folder = new TemporaryFolder();
        var workload = Workload.Quickstart;
        using var model = workload.Build(trainable: false);
        await using var sampler = workload.Sampler();
        var sampling = new Sampling(workload, sampler);
        var rows = new List<string[]>();
        for (var next = steps / 20; next <= steps; next += next < steps / 4 ? steps / 4 - next : steps / 4)
        {
            while (sampler.Statistics.Forwards < next)
            {
                // A new policy now and then, as in a run.
                if (sampler.Statistics.Forwards % 5 == 0) await Workload.AdoptAsync(sampler, model, folder.Path);
                await sampling.BatchAsync();
            }

            rows.Add(Row($"sampler, step {sampler.Statistics.Forwards}"));
        }

        return rows;
    }

    private static async Task<List<string[]>> LearnerAsync(int steps)
    {
        using var folder = new TemporaryFolder();
        var batch = await LearnerWorkload.BatchAsync(Workload.Quickstart, folder.Path);
        await using var learner = LearnerWorkload.Learner(Workload.Quickstart, folder.Path, steps);
        await learner.PrepareBaseAsync(new Unwatched(), default);
        var rows = new List<string[]>();
        for (var step = 1; step <= steps; step++)
        {
            await learner.TrainAsync(batch.AtStep(step), default);
            if (step != steps / 20 && step % (steps / 4) != 0) continue;
            await learner.CheckpointAsync(default);
            rows.Add(Row($"learner, step {step}"));
        }

        return rows;
    }

    private static string[] Row(string moment)
    {
        var managed = GC.GetTotalMemory(forceFullCollection: true);
        return [moment, Number(torch.Tensor.TotalCount, "#,0"), Number(Environment.WorkingSet / 1048576.0, "0.0"), Number(managed / 1048576.0, "0.0")];
    }
}
