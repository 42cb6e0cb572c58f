using System.Collections.Immutable;
using Lateral.Benchmarks.Measuring;
using Lateral.Core.Rollouts;
using Lateral.Diffusion.Sampling;

namespace Lateral.Benchmarks.Engines;

/// <summary>Drives a sampler through whole batches of a workload.</summary>
internal sealed class Sampling(Workload workload, DiffusionSampler sampler)
{
    private static readonly TimeSpan Deadline = TimeSpan.FromMinutes(5);

    private long _group;

    /// <summary>
    /// Samples one batch behind a plug. Where every slot is taken at once and all rollouts have one step count, the forwards are
    /// known from the trajectories: the plug's, then waves of full slots.
    /// </summary>
    /// <returns>null where the first wave started before all of it was queued</returns>
    public async Task<Batch?> BatchAsync()
    {
        var waves = (workload.Rollouts + workload.Slots - 1) / workload.Slots;
        var before = sampler.Statistics;
        var plug = workload.Plug(_group++);
        var tasks = Enumerable.Range(0, workload.Groups).Select(_ => workload.Task(_group++)).ToArray();
        var start = Cost.Now;
        sampler.Submit(plug);
        foreach (var task in tasks) sampler.Submit(task);
        var trajectories = await CollectAsync(workload.Rollouts + 1);
        var cost = Cost.Now - start;
        var lockstep = (sampler.Statistics - before).Forwards == 1 + waves * workload.Spec.Steps;
        return lockstep ? new(cost, [.. trajectories.OrderBy(trajectory => trajectory.Id)]) : null;
    }

    private async Task<List<Trajectory>> CollectAsync(int count)
    {
        using var deadline = new CancellationTokenSource(Deadline);
        var collected = new List<Trajectory>(count);
        while (collected.Count < count) collected.AddRange(await sampler.NextFinishedAsync(deadline.Token));
        return collected;
    }
}

/// <param name="Trajectories">the plug's, then the batch's in the order in which they were queued</param>
internal sealed record Batch(Cost Cost, ImmutableArray<Trajectory> Trajectories);
