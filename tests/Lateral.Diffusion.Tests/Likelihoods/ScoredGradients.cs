using Lateral.Core.Rollouts;
using Lateral.Diffusion.Likelihoods;
using Lateral.Diffusion.Models;
using static TorchSharp.torch;

namespace Lateral.Tests.Diffusion;

/// <summary>Gradients of sum over units of advantage * log pi, and what finite differences say of them.</summary>
internal static class ScoredGradients
{
    private const float Step = 2e-3f;

    /// <returns>by parameter; those that nothing asked are left out</returns>
    public static Dictionary<string, Tensor> Of(TransformerModel model, IReadOnlyCollection<Trajectory> rollouts, ILikelihood likelihood, float[] advantages, double temperature)
    {
        foreach (var parameter in model.Parameters.Values) parameter.grad = null;
        using var scope = NewDisposeScope();
        var table = Scoring.TableOf(rollouts, likelihood, advantages);
        foreach (var batch in MicroBatch.Cut(table.Views, 60, model.Spec.MaskToken))
        {
            var device = DeviceMicroBatch.Upload(batch, table.Units, model);
            likelihood.Combine(ViewScorer.Score(model, device, temperature), device.Questions, device.Units).mul(device.Units.Advantage_U).sum().backward();
        }

        return model.Parameters.Where(pair => pair.Value.grad is not null).ToDictionary(pair => pair.Key, pair => pair.Value.grad!.clone().DetachFromDisposeScope());
    }

    public static double Value(TransformerModel model, IReadOnlyCollection<Trajectory> rollouts, ILikelihood likelihood, float[] advantages, double temperature)
    {
        var table = Scoring.TableOf(rollouts, likelihood, advantages);
        return Scoring.Values(model, table, likelihood, temperature).Zip(table.Units, (value, unit) => value * unit.Advantage).Sum();
    }

    /// <summary>At the parameter's number whose gradient is largest.</summary>
    public static void AssertFiniteDifference(TransformerModel model, string name, Tensor gradient, Func<double> value)
    {
        using var scope = NewDisposeScope();
        using var quiet = no_grad();
        var at = gradient.abs().flatten().argmax().item<long>();
        var flat = model.Parameters[name].view(-1);
        var original = flat[at].item<float>();
        flat[at] = original + Step;
        var above = value();
        flat[at] = original - Step;
        var difference = (above - value()) / (2 * Step);
        flat[at] = original;
        Assert.Equal(difference, gradient.flatten()[at].item<float>(), Math.Abs(difference) * .02 + 2e-3);
    }
}
