using Lateral.Benchmarks.Measuring;
using Lateral.Core;
using Lateral.Core.Learning;
using Lateral.Diffusion.Learning;
using Lateral.Diffusion.Likelihoods;
using Lateral.Diffusion.Models;
using static TorchSharp.torch;

namespace Lateral.Benchmarks.Engines;

/// <summary>Forward and backward of the micro-batches of a learner step, with the plain cross-entropy of their tokens as loss.</summary>
internal static class BarePasses
{
    public static List<MicroBatch> MicroBatches(LearnerBatch batch, int maskId)
    {
        var (settings, random) = (LearnerWorkload.Algorithm, new CounterRandom(1));
        var plan = GroupBatch.From(batch, Advantages.ByName(settings.Advantage), settings.Shards);
        return
        [
            .. plan.Scored.GroupBy(i => plan.Rollouts[i].Shard).OrderBy(shard => shard.Key).SelectMany(shard => MicroBatch.Cut(
                shard.SelectMany(i => TrajectoryReplay.Views(i, plan.Rollouts[i].Trajectory, settings.StepSubset, random, batch.Step)), settings.MicroBatchTokens, maskId)),
        ];
    }

    /// <summary>On a device thread with autograd; inputs are uploaded before the clock starts.</summary>
    public static Cost Run(LladaModel model, List<MicroBatch> batches)
    {
        var advantages = new float[1 + batches.Max(batch => batch.Rollouts.Max())];
        var inputs = batches.ConvertAll(batch => DeviceMicroBatch.Upload(batch, advantages, model));
        foreach (var parameter in model.Parameters.Values) parameter.grad = null;
        var start = Cost.Now;
        foreach (var input in inputs)
        {
            using var scope = NewDisposeScope();
            TrajectoryLikelihood.Score(model, input, temperature: 1).sum().backward();
        }

        return Cost.Now - start;
    }
}
