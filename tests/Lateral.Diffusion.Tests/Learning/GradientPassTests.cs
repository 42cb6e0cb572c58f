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

    private readonly LladaModel _model = TinyPolicy.FreshModel(Tokenizer, 4);
    private readonly GroupBatch _batch = GroupBatch.From(Rollouts.Batch(1, 5, 4, seed: 3), new GroupMean(), 1);

    public void Dispose() => _model.Dispose();

    [Fact]
    public void Direct_gradient_must_equal_one_monolithic_backward()
    {
        var expected = Monolithic(new BehaviourClip(.2, 3));
        foreach (var budget in new[] { 10, 50, 100_000 }) AssertClose(expected, Accumulated(new BehaviourClip(.2, 3), budget));
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
        AssertClose(Accumulated(new BehaviourClip(.2, 3), 60), Accumulated(new AsCoupled(new BehaviourClip(.2, 3)), 60));
    }

    [Fact]
    public void Passes_must_log_every_scored_token_once_with_its_ratio_and_loss()
    {
        var (direct, replayed) = (new TokenLog(), new TokenLog());
        Accumulated(new BehaviourClip(.2, 3), 40, direct);
        Accumulated(new AsCoupled(new BehaviourClip(.2, 3)), 40, replayed);
        Assert.Equal(_batch.Scored.Count * 4, direct.Count);
        Assert.Equal(direct.Count, replayed.Count);
        var (a, b) = (direct.Metrics().ToDictionary(), replayed.Metrics().ToDictionary());
        Assert.All(a, pair => Assert.Equal(pair.Value, b[pair.Key], 1e-6));
        Assert.Equal(direct.Loss(_batch.Tokens), replayed.Loss(_batch.Tokens), 1e-6);
    }

    private float[] Accumulated(ICorrection correction, int budget, TokenLog? log = null)
    {
        using var scope = NewDisposeScope();
        var batches = MicroBatch.Cut(Views(), budget, Tokenizer.MaskId).ToList();
        new GradientPass(_model, correction, 1).Accumulate(batches, Advantages(), _batch.Tokens, log);
        return TakeGradient();
    }

    /// <summary>Every view scored on its own, all graphs alive, one backward.</summary>
    private float[] Monolithic(ICorrection correction)
    {
        using var scope = NewDisposeScope();
        var inputs = Views().Select(view => DeviceMicroBatch.Upload(MicroBatch.Cut([view], 1000, Tokenizer.MaskId).Single(), Advantages(), _model)).ToList();
        var logp_N = cat([.. inputs.Select(input => TrajectoryLikelihood.Score(_model, input, 1))], 0);
        var loss = correction.Apply(logp_N, cat([.. inputs.Select(input => input.Behaviour_N)], 0), cat([.. inputs.Select(input => input.Advantages_N)], 0));
        loss.Loss_N.sum().div(tensor((float)_batch.Tokens)).backward();
        return TakeGradient();
    }

    private List<StateView> Views() => [.. _batch.Scored.SelectMany(i => TrajectoryReplay.Views(i, _batch.Rollouts[i].Trajectory, 0, default, 1))];

    private float[] Advantages() => [.. _batch.Rollouts.Select(rollout => rollout.Advantage)];

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

        public CorrectedLoss Apply(Tensor logp_N, Tensor behaviour_N, Tensor advantage_N)
        {
            var ratio_N = logp_N.sub(behaviour_N).exp();
            var mean = ratio_N.add(ratio_N.mul(advantage_N)).mean();
            return new(mean.mul(mean).expand(logp_N.shape), zeros_like(logp_N, ScalarType.Bool));
        }
    }

    private sealed class AsCoupled(ICorrection inner) : ICorrection
    {
        public string Name => inner.Name;

        public bool Separable => false;

        public CorrectedLoss Apply(Tensor logp_N, Tensor behaviour_N, Tensor advantage_N) => inner.Apply(logp_N, behaviour_N, advantage_N);
    }
}
