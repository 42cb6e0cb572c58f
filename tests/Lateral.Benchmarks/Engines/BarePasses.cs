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
    public static List<(MicroBatch Batch, IReadOnlyList<Unit> Units)> MicroBatches(LearnerBatch batch, int maskId)
    {
        var settings = LearnerWorkload.Algorithm;
        var (likelihood, key) = (LikelihoodCatalogue.Create(settings.Likelihood, settings.Unit, null, 1), new PlanKey(new CounterRandom(1), 0, batch.Step));
        var plan = GroupBatch.From(batch, Advantages.ByName(settings.Advantage), settings.Shards);
        var cut = new List<(MicroBatch, IReadOnlyList<Unit>)>();
        foreach (var shard in plan.Scored.GroupBy(i => plan.Rollouts[i].Shard).OrderBy(shard => shard.Key))
        {
            var table = new UnitTable();
            foreach (var i in shard) table.Add(i, plan.Rollouts[i].Trajectory, plan.Rollouts[i].Advantage, likelihood.Plan(plan.Rollouts[i].Trajectory, key), batch.Step - 1);
            cut.AddRange(MicroBatch.Cut(table.Views, settings.MicroBatchTokens, maskId).Select(one => (one, table.Units)));
        }

        return cut;
    }

    /// <summary>On a device thread with autograd; inputs are uploaded before the clock starts.</summary>
    public static Cost Run(TransformerModel model, List<(MicroBatch Batch, IReadOnlyList<Unit> Units)> batches)
    {
        var inputs = batches.ConvertAll(one => DeviceMicroBatch.Upload(one.Batch, one.Units, model));
        foreach (var parameter in model.Parameters.Values) parameter.grad = null;
        var start = Cost.Now;
        foreach (var input in inputs)
        {
            using var scope = NewDisposeScope();
            ViewScorer.Score(model, input, temperature: 1).sum().backward();
        }

        return Cost.Now - start;
    }
}
