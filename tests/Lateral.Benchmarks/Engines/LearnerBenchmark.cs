using Lateral.Benchmarks.Measuring;
using Lateral.Core.Learning;
using Lateral.Diffusion.Tensors;

namespace Lateral.Benchmarks.Engines;

/// <summary>What planning, correction, gauges, shards, AdamW and durable publication cost over forward and backward.</summary>
internal static class LearnerBenchmark
{
    public static async Task RunAsync(Options options, Report report)
    {
        await MeasureAsync(Workload.Medium with { Groups = 4, Siblings = 4, Slots = 16 }, options.Quick ? 3 : 11, report);
        await MeasureAsync(Workload.Quickstart, options.Quick ? 7 : 41, report);
    }

    private static async Task MeasureAsync(Workload workload, int repetitions, Report report)
    {
        using var folder = new TemporaryFolder();
        var batch = await LearnerWorkload.BatchAsync(workload, folder.Path);
        var microBatches = BarePasses.MicroBatches(batch, workload.Tokenizer.MaskId);
        using var device = new DeviceThread("bare model");
        using var model = workload.Build(trainable: true);
        await using var learner = LearnerWorkload.Learner(workload, folder.Path, repetitions + 1);
        await learner.PrepareBaseAsync(new Unwatched(), default);

        var (pairs, withoutPublishing, publishing) = (new List<Pair>(), new List<double>(), new List<double>());
        for (var step = 1; step <= repetitions + 1; step++)
        {
            var start = Cost.Now;
            var metrics = (await learner.TrainAsync(batch.AtStep(step), default)).Metrics;
            var pair = new Pair(Cost.Now - start, await device.Run(() => BarePasses.Run(model, microBatches), Autograd.On));
            // The first pair pays for compilation and first allocations.
            if (step == 1) continue;
            pairs.Add(pair);
            withoutPublishing.Add((pair.Product.Wall - metrics["time/publish"]) / pair.Bare.Wall);
            publishing.Add(metrics["time/publish"]);
        }

        var tokens = microBatches.Sum(one => one.Batch.Ids.Length);
        report.Line($"{workload.Name}: learner over bare forward+backward, cpu {Spread.Of(pairs.Select(pair => pair.CpuRatio))}, wall {Spread.Of(pairs.Select(pair => pair.WallRatio))}");
        report.Line($"    wall without the durable publication {Spread.Of(withoutPublishing)}; publication {1e3 * Spread.Of(publishing).Median:0.0} ms");
        report.Line($"    {batch.Groups.Length} x {batch.Groups[0].Siblings.Length} rollouts, {microBatches.Count} micro-batches, {tokens} tokens: {1e3 * pairs.Average(pair => pair.Product.Cpu):0.0} ms of cpu, bare {1e3 * pairs.Average(pair => pair.Bare.Cpu):0.0} ms");
    }
}
