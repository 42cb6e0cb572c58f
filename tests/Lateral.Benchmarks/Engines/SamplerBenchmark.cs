using Lateral.Benchmarks.Measuring;
using Lateral.Diffusion.Tensors;

namespace Lateral.Benchmarks.Engines;

/// <summary>What slots, queue, counter-based draws, selection and the record of a trajectory cost over the model itself.</summary>
internal static class SamplerBenchmark
{
    public static async Task RunAsync(Options options, Report report)
    {
        await MeasureAsync(Workload.Medium, options.Quick ? 3 : 15, report);
        await MeasureAsync(Workload.Quickstart, options.Quick ? 7 : 61, report);
    }

    private static async Task MeasureAsync(Workload workload, int repetitions, Report report)
    {
        using var folder = new TemporaryFolder();
        using var device = new DeviceThread("bare model");
        using var model = workload.Build(trainable: false);
        await using var sampler = workload.Sampler();
        await Workload.AdoptAsync(sampler, model, folder.Path);
        var sampling = new Sampling(workload, sampler);

        var (pairs, late, first) = (new List<Pair>(), 0, true);
        while (pairs.Count < repetitions)
        {
            if (await sampling.BatchAsync() is not { } batch)
            {
                if (++late > repetitions + 10) throw new InvalidOperationException("the machine is too busy to queue a batch while one forward runs");
                continue;
            }

            var bare = await device.Run(() => BareForwards.Run(model, workload, batch));
            // The first pair pays for compilation and first allocations.
            if (!first) pairs.Add(new(batch.Cost, bare));
            first = false;
        }

        var forwards = 1 + (workload.Rollouts + workload.Slots - 1) / workload.Slots * workload.Spec.Steps;
        report.Line($"{workload.Name}, {workload.Slots} slots: sampler over bare forwards, cpu {Spread.Of(pairs.Select(pair => pair.CpuRatio))}, wall {Spread.Of(pairs.Select(pair => pair.WallRatio))}");
        report.Line($"    {workload.Rollouts} rollouts in {forwards} forwards take {1e3 * pairs.Average(pair => pair.Product.Cpu):0.0} ms of cpu, the bare forwards {1e3 * pairs.Average(pair => pair.Bare.Cpu):0.0} ms");
    }
}
