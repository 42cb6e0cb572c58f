using Lateral.Core;
using Lateral.Core.Policies;
using Lateral.Diffusion.Models;
using TorchSharp;
using static TorchSharp.torch;

namespace Lateral.Diffusion.Likelihoods;

/// <summary>
/// One canvas that the learner scores when it publishes a version, and every sampler after it has loaded it: the same weights,
/// computed alike, give the same number. It depends on the weights and the model's spec and on nothing else.
/// L length, N masked positions, D width, V vocabulary.
/// </summary>
public static class PolicyCanary
{
    /// <summary>
    /// A 16-bit sampler rounds the float32 weights of its learner, so it is allowed so many times the limit. Measured on the trained
    /// quickstart model: 0 between two engines of one machine, 4e-7 without the fused kernels, 5e-3 in bfloat16.
    /// </summary>
    private const double SixteenBits = 1000;

    private const int Length = 32;

    /// <summary>
    /// Mean over the masked positions of log pi(target | canvas) at temperature 1: natural log, softmax in float32. On the model's
    /// device thread.
    /// </summary>
    public static double LogProb(TransformerModel model)
    {
        using var scope = NewDisposeScope();
        using var quiet = no_grad();
        var (ids, rows, targets) = Canvas(model.Spec);
        var ids_1L = ids.ToDevice(model.Device).to(ScalarType.Int64).view(1, ids.Length);
        var hidden_ND = model.HiddenRows(ids_1L, rows.ToDevice(model.Device).to(ScalarType.Int64));
        var logp_NV = OutputDistribution.LogProbabilities(OutputDistribution.Logits(model, hidden_ND), null);
        var logp_N1 = logp_NV.gather(1, targets.ToDevice(model.Device).to(ScalarType.Int64).view(rows.Length, 1));
        return logp_N1.cpu().data<float>().ToArray().Average(logp => (double)logp);
    }

    /// <summary>By how much the model scores the canary otherwise than the manifest says, in nats per token; null where it says nothing.</summary>
    /// <exception cref="PolicyUnavailableException">by more than the limit, or by no number</exception>
    public static double? Difference(TransformerModel model, PolicyManifest manifest, double limit)
    {
        if (manifest.Canary is not { } expected) return null;
        var found = LogProb(model);
        var allowed = model.Type is ScalarType.BFloat16 or ScalarType.Float16 ? SixteenBits * limit : limit;
        var difference = Math.Abs(found - expected);
        if (difference <= allowed) return difference;
        throw new PolicyUnavailableException(
            $"policy version {manifest.Version} scores the canary {found:g9} nats per token on {model.Device} and {expected:g9} on its learner's device, {difference:g2} apart where policies.canary-limit allows {allowed:g2}: the sampler holds other weights or computes otherwise - look for errors of either device and for libtorch builds that differ");
    }

    /// <summary>[L] ids, every other one masked, [N] the masked positions, [N] their targets; MASK is neither context nor target.</summary>
    private static (double[] Ids, double[] Rows, double[] Targets) Canvas(TransformerSpec spec)
    {
        var ids = new double[Math.Min(Length, spec.MaxLength)];
        for (var i = 0; i < ids.Length; i++)
        {
            var token = new CounterRandom(0).Below(spec.Vocabulary - 1, RandomStream.Canary, 0, position: i);
            ids[i] = token < spec.MaskToken ? token : token + 1;
        }

        double[] rows = [.. Enumerable.Range(0, ids.Length).Where(i => i % 2 == 0)];
        var targets = Array.ConvertAll(rows, row => ids[(int)row]);
        foreach (var row in rows) ids[(int)row] = spec.MaskToken;
        return (ids, rows, targets);
    }
}
