using Lateral.Core.Rollouts;
using Lateral.Diffusion.Likelihoods;
using Lateral.Diffusion.Models;
using static TorchSharp.torch;

namespace Lateral.Diffusion.Sampling;

/// <summary>
/// Scores finished rollouts by the learner's surrogate under the weights that have just finished them: the behaviour's value of the ratio. One
/// policy version answers for all of a rollout, because weights are swapped between denoising steps only.
/// </summary>
/// <param name="alone">a forward for each rollout, so that its values do not depend on the others of its batch</param>
internal sealed class SurrogateScorer(SurrogateSettings settings, ILikelihood likelihood, PlanKey key, TransformerModel model, bool alone)
{
    private readonly string _identity = Surrogate.IdentityOf(settings.Likelihood, settings.Unit);

    /// <remarks>Runs on the device thread.</remarks>
    public IReadOnlyList<Trajectory> Score(IReadOnlyList<Trajectory> finished) =>
        alone ? [.. finished.SelectMany(one => Together([one]))] : Together(finished);

    private IReadOnlyList<Trajectory> Together(IReadOnlyList<Trajectory> finished)
    {
        if (finished.Count == 0) return finished;
        using var scope = NewDisposeScope();
        using var quiet = no_grad();
        var (table, firsts) = (new UnitTable(), new int[finished.Count]);
        foreach (var (i, trajectory) in finished.Index())
        {
            firsts[i] = table.Units.Count;
            table.Add(i, trajectory, 0, likelihood.Plan(trajectory, key), version: 0);
        }

        var units = DeviceUnits.Upload(table.Units, model);
        var inputs = MicroBatch.Cut(table.Views, settings.MicroBatchTokens, model.Spec.MaskToken).Select(batch => DeviceMicroBatch.Upload(batch, units, model)).ToList();
        // Independent masks may all be empty: the estimate is then 0.
        var values = inputs.Count == 0 ? new float[table.Units.Count] : Values(inputs, units);
        return [.. finished.Select((trajectory, i) => trajectory with { Surrogate = new(_identity, [.. values[firsts[i]..(i + 1 < firsts.Length ? firsts[i + 1] : values.Length)]]) })];
    }

    private float[] Values(IReadOnlyList<DeviceMicroBatch> inputs, DeviceUnits units)
    {
        var logp_N = cat([.. inputs.Select(input => ViewScorer.Score(model, input, settings.Temperature))], 0);
        return likelihood.Combine(logp_N, DeviceQuestions.Joined(inputs), units).cpu().data<float>().ToArray();
    }
}
