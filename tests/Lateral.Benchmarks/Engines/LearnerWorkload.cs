using System.Collections.Immutable;
using Lateral.Core.Learning;
using Lateral.Core.Rewards;
using Lateral.Core.Rollouts;
using Lateral.Diffusion.Learning;

namespace Lateral.Benchmarks.Engines;

/// <summary>The learner's side of a workload: one sampled batch, rewarded so that every group has a gradient.</summary>
internal static class LearnerWorkload
{
    public static LearnerSettings Algorithm { get; } = new(
        MethodSettings.Of("trajectory", ("step-subset", 0)), RatioGranularity.Token, MethodSettings.Of("behaviour-clip", ("clip-epsilon", .2), ("dual-clip", 3)), "group-z",
        1e-5, 0, "constant", 1, .9, .999, 1e-8, 0, 1, Updates: 1, Shards: 8, MicroBatchTokens: 16384);

    public static GrpoLearner Learner(Workload workload, string folder, int steps, SharedGradients? exchange = null) =>
        new(Settings(workload, folder, steps), workload.Network, _ => throw new InvalidOperationException("there is no warm-up"), exchange ?? SharedGradients.Alone());

    public static GrpoSettings Settings(Workload workload, string folder, int steps) =>
        new(folder, "cpu", 1, steps, workload.Spec.Temperature, 1, Algorithm, new WarmupSettings(0, 1, 1e-3, 0));

    /// <summary>Samples under the learner's own base policy, so that ratios start at 1.</summary>
    public static async Task<LearnerBatch> BatchAsync(Workload workload, string folder)
    {
        using var model = workload.Build(trainable: false);
        await using var sampler = workload.Sampler();
        await Workload.AdoptAsync(sampler, model, folder);
        var sampling = new Sampling(workload, sampler);
        Batch? batch;
        do batch = await sampling.BatchAsync();
        while (batch is null);
        return Batch(batch.Trajectories[1..]);
    }

    /// <summary>The same groups as the batch of another step.</summary>
    public static LearnerBatch AtStep(this LearnerBatch batch, int step) => batch with { Step = step };

    private static LearnerBatch Batch(IEnumerable<Trajectory> trajectories)
    {
        ImmutableArray<ScoredGroup> groups =
        [
            .. trajectories.GroupBy(trajectory => trajectory.Id.Group).Select(group => new ScoredGroup(group.Key,
                [.. group.Select(trajectory => new ScoredTrajectory(trajectory, trajectory.Id.Sibling % 2, ImmutableSortedDictionary<string, double>.Empty))])),
        ];
        return new(1, 1, groups.Length, groups);
    }
}

/// <summary>A warm-up's progress that nobody watches.</summary>
internal sealed class Unwatched : IProgress<WarmupProgress>
{
    public void Report(WarmupProgress value)
    {
    }
}
