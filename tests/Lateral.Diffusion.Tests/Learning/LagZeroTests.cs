using Lateral.Core.Learning;
using Lateral.Core.Rollouts;
using Lateral.Diffusion.Learning;
using Lateral.Diffusion.Learning.Corrections;
using Lateral.Diffusion.Likelihoods;
using Lateral.Diffusion.Models;
using Lateral.Diffusion.Sampling;
using static TorchSharp.torch;

namespace Lateral.Tests.Diffusion;

/// <summary>
/// Rollouts that meet the weights that sampled them: what the sampler ships is what the learner computes, for every likelihood, so that every ratio is 1
/// and every objective the plain policy gradient of its own estimate.
/// </summary>
public sealed class LagZeroTests : IDisposable
{
    private static readonly DigitTokenizer Tokenizer = new(withEnd: true);
    private static readonly RolloutSpec Spec = new(6, 3, 4, .8, "random", StopAtEnd: true);

    private readonly TransformerModel _model = TinyPolicy.FreshModel(Tokenizer, 4);
    private readonly TransformerModel _reference = TinyPolicy.FreshModel(Tokenizer, 5);

    public void Dispose()
    {
        _model.Dispose();
        _reference.Dispose();
    }

    public static TheoryData<string, RatioGranularity> Likelihoods() => Of(LikelihoodRules.All);

    /// <summary>A bound that depends on the reward's sign has no ratio.</summary>
    public static TheoryData<string, RatioGranularity> WithRatio() => Of(LikelihoodRules.All.Where(rule => rule.Name != "sandwich"));

    private static TheoryData<string, RatioGranularity> Of(IEnumerable<LikelihoodRule> rules)
    {
        var data = new TheoryData<string, RatioGranularity>();
        foreach (var rule in rules)
            foreach (var unit in rule.Units) data.Add(rule.Name, unit);
        return data;
    }

    [Theory]
    [MemberData(nameof(WithRatio))]
    public async Task Ratio_must_be_one_for_every_likelihood(string name, RatioGranularity unit)
    {
        foreach (var alone in new[] { false, true })
        {
            var (likelihood, rollouts) = await SampleAsync(name, unit, alone);
            var table = Table(likelihood, rollouts);
            var log = new UnitLog();
            Gradient(likelihood, new Uncorrected(), table, log);
            Assert.True(log.Count >= rollouts.Length);
            // The subset of another learner step asks other states, and every one of them has ratio 1.
            Assert.All(log.ToImmutable(), scored => Assert.InRange(scored.LogRatio, -1e-5, 1e-5));
        }
    }

    [Theory]
    [MemberData(nameof(WithRatio))]
    public async Task Gradient_must_be_that_of_the_own_estimate_times_the_advantage(string name, RatioGranularity unit)
    {
        var (likelihood, rollouts) = await SampleAsync(name, unit);
        var table = Table(likelihood, rollouts);
        var plain = Gradient(likelihood, new Uncorrected(), table);
        var scale = plain.Max(MathF.Abs);
        Assert.True(scale > 1e-4, "a gradient of zero would prove nothing");
        foreach (var correction in new[] { "behaviour-clip", "cispo", "sapo", "tis", "log-clip" })
        {
            var gradient = Gradient(likelihood, CorrectionCatalogue.Create(Methods.Correction(correction)), table);
            Assert.Equal(0, plain.Zip(gradient, (a, b) => Math.Abs(a - b) / scale).Max(), 1e-4);
        }
    }

    [Theory]
    [MemberData(nameof(Likelihoods))]
    public async Task Replayed_gradient_must_equal_one_monolithic_backward_for_every_objective(string name, RatioGranularity unit)
    {
        var (likelihood, rollouts) = await SampleAsync(name, unit);
        var table = Table(likelihood, rollouts);
        foreach (var correction in CorrectionRules.Names.Where(correction => correction is "behaviour-clip" or "linear-exp" or "log-clip" or "gspo" or "m2po" or "dpo" or "kto" or "none"))
        {
            var objective = CorrectionCatalogue.Create(Methods.Correction(correction));
            var kl = new KlSettings(.1, "k3", "reference");
            var expected = Monolithic(likelihood, objective, table, kl);
            var scale = expected.Max(MathF.Abs);
            foreach (var budget in new[] { 12, 60 })
            {
                var gradient = Gradient(likelihood, objective, table, budget: budget, kl: kl);
                Assert.Equal(0, expected.Zip(gradient, (a, b) => Math.Abs(a - b) / scale).Max(), 2e-6);
            }
        }
    }

    private async Task<(ILikelihood Likelihood, Trajectory[] Rollouts)> SampleAsync(string name, RatioGranularity unit, bool alone = false)
    {
        var method = Methods.Likelihood(name);
        using var policy = new TinyPolicy(_model);
        var shape = alone ? new FixedShape(3 + Spec.GenLength, Spec.BlockLength) : null;
        var settings = new SamplerSettings("cpu", 5, shape, Seed: 1, CanaryLimit: 1e-4)
        {
            Surrogate = LikelihoodRules.ByName(name).Recorded ? null : new(method, unit, Spec.Temperature, 100),
        };
        await using var sampler = new DiffusionSampler(settings, Tokenizer, policy.Load);
        await sampler.SwapAsync(policy.Manifest, policy.Path);
        for (var group = 0; group < 3; group++) sampler.Submit(TinyPolicy.Task(group, 3, [.. Enumerable.Range(0, 1 + group)], Spec));
        var finished = await TinyPolicy.CollectAsync(sampler, 9);
        return (LikelihoodCatalogue.Create(method, unit, _model.Spec.EosToken, _model.Spec.MaxLength), [.. finished.Values]);
    }

    /// <summary>Advantages of both signs, and a best and a worst in each group.</summary>
    private static UnitTable Table(ILikelihood likelihood, Trajectory[] rollouts)
    {
        var table = new UnitTable();
        foreach (var (i, trajectory) in rollouts.Index())
            table.Add(i, trajectory, 1 - (i % 3), likelihood.Plan(trajectory, Scoring.Key()), 0, i / 3);
        return table;
    }

    private float[] Gradient(ILikelihood likelihood, ICorrection correction, UnitTable table, UnitLog? log = null, int budget = 60, KlSettings? kl = null)
    {
        using var scope = NewDisposeScope();
        var batches = MicroBatch.Cut(table.Views, budget, Tokenizer.MaskId).ToList();
        new GradientPass(_model, likelihood, correction, Spec.Temperature, kl, kl is null && correction is not (DirectPreference or UnpairedPreference) ? null : _reference)
            .Accumulate(batches, table.Units, table.Units.Count, log);
        return TakeGradient();
    }

    /// <summary>Every view scored on its own, all graphs alive, one backward.</summary>
    private float[] Monolithic(ILikelihood likelihood, ICorrection correction, UnitTable table, KlSettings kl)
    {
        using var scope = NewDisposeScope();
        var units = DeviceUnits.Upload(table.Units, _model);
        var inputs = table.Views.Where(view => !view.View.Questions.IsEmpty).Select(view => DeviceMicroBatch.Upload(MicroBatch.Cut([view], 1000, Tokenizer.MaskId).Single(), units, _model)).ToList();
        var questions = DeviceQuestions.Joined(inputs);
        Tensor Values(TransformerModel model) => likelihood.Combine(cat([.. inputs.Select(input => ViewScorer.Score(model, input, Spec.Temperature))], 0), questions, units);
        using (no_grad()) units = units with { Reference_U = Values(_reference) };
        var logp_U = Values(_model);
        var loss_U = correction.Apply(logp_U, units).Loss_U.add(KlPenalty.Of(kl, logp_U, units).mul(tensor((float)kl.Coefficient)));
        loss_U.mul(units.Weight_U).sum().div(tensor((float)table.Units.Count)).backward();
        return TakeGradient();
    }

    private float[] TakeGradient()
    {
        var gradient = _model.Parameters.OrderBy(pair => pair.Key, StringComparer.Ordinal).SelectMany(pair => pair.Value.grad!.data<float>().ToArray()).ToArray();
        foreach (var parameter in _model.Parameters.Values) parameter.grad = null;
        return gradient;
    }
}
