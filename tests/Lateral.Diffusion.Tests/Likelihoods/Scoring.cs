using Lateral.Core;
using Lateral.Core.Learning;
using Lateral.Core.Rollouts;
using Lateral.Diffusion.Likelihoods;
using Lateral.Diffusion.Models;
using static TorchSharp.torch;

namespace Lateral.Tests.Diffusion;

/// <summary>Tables of units for trajectories made by hand.</summary>
internal static class Scoring
{
    public static ILikelihood Tokens { get; } = new TrajectoryLikelihood(RatioGranularity.Token, StepSubset.All);

    public static PlanKey Key(ulong seed = 1, int learnerStep = 1, long firstPrompt = 0) => new(new CounterRandom(seed), firstPrompt, learnerStep);

    /// <param name="advantages">by trajectory; null = 0</param>
    public static UnitTable TableOf(IEnumerable<Trajectory> trajectories, ILikelihood? likelihood = null, float[]? advantages = null)
    {
        var table = new UnitTable();
        foreach (var (i, trajectory) in trajectories.Index())
            table.Add(i, trajectory, advantages?[i] ?? 0, (likelihood ?? Tokens).Plan(trajectory, Key()), version: 0);
        return table;
    }

    /// <summary>What the model answers for each unit that is one token, beside the unit.</summary>
    public static IEnumerable<(Unit Unit, float LogProb)> Score(TransformerModel model, UnitTable table, int budget = 1000, double temperature = 1)
    {
        foreach (var batch in MicroBatch.Cut(table.Views, budget, model.Spec.MaskToken))
        {
            using var scope = NewDisposeScope();
            using var quiet = no_grad();
            var values = ViewScorer.Score(model, DeviceMicroBatch.Upload(batch, table.Units, model), temperature).data<float>().ToArray();
            foreach (var (i, value) in values.Index()) yield return (table.Units[batch.Units[i]], value);
        }
    }

    /// <summary>What the model thinks of each unit.</summary>
    public static double[] Values(TransformerModel model, UnitTable table, ILikelihood likelihood, double temperature = 1)
    {
        using var scope = NewDisposeScope();
        using var quiet = no_grad();
        var units = DeviceUnits.Upload(table.Units, model);
        var inputs = MicroBatch.Cut(table.Views, 1000, model.Spec.MaskToken).Select(batch => DeviceMicroBatch.Upload(batch, units, model)).ToList();
        var logp_N = cat([.. inputs.Select(input => ViewScorer.Score(model, input, temperature))], 0);
        return [.. likelihood.Combine(logp_N, DeviceQuestions.Joined(inputs), units).data<float>().ToArray().Select(value => (double)value)];
    }
}
