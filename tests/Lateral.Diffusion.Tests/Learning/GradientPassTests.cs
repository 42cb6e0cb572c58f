using Lateral.Core.Learning;
using Lateral.Diffusion.Learning;
using Lateral.Diffusion.Learning.Corrections;
using Lateral.Diffusion.Likelihoods;
using Lateral.Diffusion.Models;
using static TorchSharp.torch;

namespace Lateral.Tests.Diffusion;

public sealed class GradientPassTests : IDisposable
{
    private static readonly DigitTokenizer Tokenizer = new(withEnd: true);

    private readonly TransformerModel _model = TinyPolicy.FreshModel(Tokenizer, 4);
    private readonly GroupBatch _batch = GroupBatch.From(Rollouts.Batch(1, 5, 4, seed: 3), new GroupMean(), 1);

    public void Dispose() => _model.Dispose();

    [Fact]
    public void Direct_gradient_must_equal_one_monolithic_backward()
    {
        var expected = Monolithic(new BehaviourClip(new(.2, 3)));
        foreach (var budget in new[] { 10, 50, 100_000 }) AssertClose(expected, Accumulated(new BehaviourClip(new(.2, 3)), budget));
    }

    [Fact]
    public void Replayed_gradient_of_a_coupled_loss_must_equal_one_monolithic_backward()
    {
        var expected = Monolithic(new SquaredMeanRatio());
        foreach (var budget in new[] { 10, 50, 100_000 }) AssertClose(expected, Accumulated(new SquaredMeanRatio(), budget));
    }

    [Fact]
    public void Separable_loss_must_have_the_same_gradient_by_replay()
    {
        AssertClose(Accumulated(new BehaviourClip(new(.2, 3)), 60), Accumulated(new AsCoupled(new BehaviourClip(new(.2, 3))), 60));
    }

    [Theory]
    [InlineData(RatioGranularity.Step)]
    [InlineData(RatioGranularity.Sequence)]
    public void Gradient_of_whole_steps_and_completions_must_equal_one_monolithic_backward(RatioGranularity unit)
    {
        var likelihood = new TrajectoryLikelihood(unit, StepSubset.All);
        var expected = Monolithic(new BehaviourClip(new(.5, 3)), likelihood);
        foreach (var budget in new[] { 10, 50, 100_000 }) AssertClose(expected, Accumulated(new BehaviourClip(new(.5, 3)), budget, likelihood: likelihood));
    }

    [Fact]
    public void Passes_must_log_every_scored_token_once_with_its_ratio_and_loss()
    {
        var (direct, replayed) = (new UnitLog(), new UnitLog());
        Accumulated(new BehaviourClip(new(.2, 3)), 40, direct);
        Accumulated(new AsCoupled(new BehaviourClip(new(.2, 3))), 40, replayed);
        Assert.Equal(_batch.Scored.Count * 4, direct.Count);
        Assert.Equal(direct.Count, replayed.Count);
        var (a, b) = (direct.Metrics().ToDictionary(), replayed.Metrics().ToDictionary());
        Assert.All(a, pair => Assert.Equal(pair.Value, b[pair.Key], 1e-6));
        Assert.Equal(direct.Loss(_batch.Tokens), replayed.Loss(_batch.Tokens), 1e-6);
    }

    private float[] Accumulated(ICorrection correction, int budget, UnitLog? log = null, ILikelihood? likelihood = null)
    {
        using var scope = NewDisposeScope();
        var table = Table(likelihood ?? Scoring.Tokens);
        var batches = MicroBatch.Cut(table.Views, budget, Tokenizer.MaskId).ToList();
        new GradientPass(_model, likelihood ?? Scoring.Tokens, correction, 1).Accumulate(batches, table.Units, _batch.Tokens, log);
        return TakeGradient();
    }

    /// <summary>Every view scored on its own, all graphs alive, one backward.</summary>
    private float[] Monolithic(ICorrection correction, ILikelihood? likelihood = null)
    {
        using var scope = NewDisposeScope();
        var table = Table(likelihood ?? Scoring.Tokens);
        var units = DeviceUnits.Upload(table.Units, _model);
        var inputs = table.Views.Select(view => DeviceMicroBatch.Upload(MicroBatch.Cut([view], 1000, Tokenizer.MaskId).Single(), units, _model)).ToList();
        Tensor Joined(Func<DeviceMicroBatch, Tensor> column) => cat([.. inputs.Select(column)], 0);
        var questions = new DeviceQuestions(Joined(input => input.Questions.Unit_N), Joined(input => input.Questions.Coefficient_N), Joined(input => input.Questions.Position_N), false);
        var logp_U = (likelihood ?? Scoring.Tokens).Combine(Joined(input => ViewScorer.Score(_model, input, 1)), questions, units);
        correction.Apply(logp_U, units).Loss_U.mul(units.Weight_U).sum().div(tensor((float)_batch.Tokens)).backward();
        return TakeGradient();
    }

    private UnitTable Table(ILikelihood likelihood)
    {
        var table = new UnitTable();
        foreach (var i in _batch.Scored) table.Add(i, _batch.Rollouts[i].Trajectory, _batch.Rollouts[i].Advantage, likelihood.Plan(_batch.Rollouts[i].Trajectory, Scoring.Key()), 0);
        return table;
    }

    private float[] TakeGradient()
    {
        var gradient = _model.Parameters.OrderBy(pair => pair.Key, StringComparer.Ordinal).SelectMany(pair => pair.Value.grad!.data<float>().ToArray()).ToArray();
        foreach (var parameter in _model.Parameters.Values) parameter.grad = null;
        return gradient;
    }

    private static void AssertClose(float[] expected, float[] actual)
    {
        var scale = expected.Max(MathF.Abs);
        Assert.True(scale > 1e-3, "a gradient of zero would prove nothing");
        Assert.Equal(0, expected.Zip(actual, (a, b) => Math.Abs(a - b) / scale).Max(), 1e-6);
    }

    /// <summary>Couples all tokens: N times the square of the mean of ratio (1 + advantage), spread evenly; that mean is near 1, never near 0.</summary>
    private sealed class SquaredMeanRatio : ICorrection
    {
        public string Name => "squared-mean-ratio";

        public bool Separable => false;

        public CorrectedLoss Apply(Tensor logp_U, DeviceUnits units)
        {
            var ratio_U = logp_U.sub(units.Behaviour_U).exp();
            var mean = ratio_U.add(ratio_U.mul(units.Advantage_U)).mean();
            return new(mean.mul(mean).expand(logp_U.shape), zeros_like(logp_U, ScalarType.Bool));
        }
    }

    private sealed class AsCoupled(ICorrection inner) : ICorrection
    {
        public string Name => inner.Name;

        public bool Separable => false;

        public CorrectedLoss Apply(Tensor logp_U, DeviceUnits units) => inner.Apply(logp_U, units);
    }
}
