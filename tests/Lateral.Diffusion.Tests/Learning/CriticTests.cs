using Lateral.Core.Learning;
using Lateral.Diffusion.Learning.Values;
using Lateral.Diffusion.Models;
using static TorchSharp.torch;

namespace Lateral.Tests.Diffusion;

public sealed class CriticTests : IDisposable
{
    private static readonly DigitTokenizer Tokenizer = new(withEnd: true);
    private static readonly CriticSettings Settings = new(1, 1, 1e-2, .2);

    private readonly TransformerModel _policy = TinyPolicy.FreshModel(Tokenizer, 4);
    private readonly Critic _critic;
    private readonly LearnerBatch _batch = Rollouts.Batch(1, 3, 4, seed: 3, (g, i) => (i % 3) - (.5 * g));

    public CriticTests() => _critic = New();

    public void Dispose()
    {
        _critic.Dispose();
        _policy.Dispose();
    }

    [Fact]
    public void Fresh_critic_must_value_everything_at_zero_so_that_advantages_are_the_rewards()
    {
        var appraisal = _critic.Appraise(_batch);
        Assert.Equal(3 * 4 * 4, appraisal.Count);
        Assert.All(appraisal.Old, value => Assert.Equal(0, value));
        foreach (var (g, group) in _batch.Groups.Index())
        {
            foreach (var (i, sibling) in group.Siblings.Index())
                Assert.All(Enumerable.Range(0, 4), position => Assert.Equal((float)sibling.Reward, appraisal.Advantages[g][i].OfToken(position)));
        }

        var metrics = appraisal.Metrics().ToDictionary();
        Assert.Equal((0, 0), (metrics["value/mean"], metrics["value/explained_variance"]));
        Assert.Equal(_batch.Groups.SelectMany(group => group.Siblings).Average(sibling => sibling.Reward * sibling.Reward / 2), metrics["value/loss"], 1e-6);
    }

    [Fact]
    public void Value_must_be_the_heads_output_at_the_tokens_place_in_the_state_before_its_step()
    {
        SetHead();
        var appraisal = _critic.Appraise(_batch);
        using var scope = NewDisposeScope();
        using var quiet = no_grad();
        var first = 0;
        foreach (var trajectory in _batch.Groups.SelectMany(group => group.Siblings).Select(sibling => sibling.Trajectory))
        {
            for (var j = 0; j < trajectory.Tokens.Length; j++)
            {
                long[] canvas = [.. trajectory.Prompt, .. trajectory.Tokens.Select((token, k) => trajectory.RevealStep[k] < trajectory.RevealStep[j] ? token : Tokenizer.MaskId)];
                var row_D = _policy.Hidden(tensor(canvas).view(1, -1))[0][trajectory.Prompt.Length + j];
                Assert.Equal(row_D.dot(_critic.State().Weights[TinyPolicy.Head][0]).item<float>(), appraisal.Old[first + j], 1e-5f);
            }

            first += trajectory.Tokens.Length;
        }
    }

    [Theory]
    [InlineData(0)]
    [InlineData(.2)]
    public void Gradient_must_be_that_of_the_clipped_squared_error_by_finite_differences(double clip)
    {
        using var critic = New(Settings with { Clip = clip });
        SetHead(critic);
        // Old values on both sides of the band around the present ones, and inside it.
        var appraisal = critic.Appraise(_batch);
        appraisal = appraisal with { Old = [.. appraisal.Old.Select((value, n) => value + (((n % 3) - 1) * .4f))] };
        critic.Accumulate(appraisal, tokens: 40);
        foreach (var (name, parameter) in critic.State().Weights)
        {
            var gradient = parameter.grad!.data<float>().ToArray();
            var largest = Array.FindIndex(gradient, value => Math.Abs(value) == gradient.Max(MathF.Abs));
            const float Step = 4e-3f;
            var slope = (Loss(critic, appraisal, clip, parameter, largest, Step) - Loss(critic, appraisal, clip, parameter, largest, -Step)) / (2 * Step);
            Assert.True(Math.Abs(slope) > 1e-4, $"{name}: a gradient of zero would prove nothing");
            Assert.Equal(slope, gradient[largest], .02 * Math.Abs(slope));
        }
    }

    [Fact]
    public void Gradient_must_not_depend_on_micro_batches_beyond_rounding()
    {
        SetHead();
        var appraisal = _critic.Appraise(_batch);
        float[] Of(int tokens)
        {
            _critic.ClearGradient();
            _critic.Accumulate(appraisal, tokens);
            return [.. _critic.State().Weights.SelectMany(pair => pair.Value.grad!.data<float>().ToArray())];
        }

        var (whole, pieces) = (Of(100_000), Of(7));
        var scale = whole.Max(MathF.Abs);
        Assert.True(scale > 1e-3);
        Assert.Equal(0, whole.Zip(pieces, (a, b) => Math.Abs(a - b) / scale).Max(), 1e-5);
    }

    [Fact]
    public void Merged_likelihood_must_give_the_states_that_it_scores()
    {
        using var merged = New(likelihood: Methods.Likelihood("trajectory-merged"));
        // Two steps of two tokens are one state of four.
        Assert.Equal(12, merged.Appraise(_batch).Views.Count);
        Assert.Equal(24, _critic.Appraise(_batch).Views.Count);
    }

    [Fact]
    public void Batch_without_groups_must_have_no_values_and_no_gradient()
    {
        var appraisal = _critic.Appraise(_batch with { Groups = [] });
        _critic.Accumulate(appraisal, 40);
        Assert.Equal((0, 0), (appraisal.Count, _critic.ClipGradient(1)));
        Assert.Empty(appraisal.Metrics());
    }

    private double Loss(Critic critic, Appraisal appraisal, double clip, Tensor parameter, int index, float change)
    {
        using var scope = NewDisposeScope();
        using var quiet = no_grad();
        var number = parameter.view(-1).narrow(0, index, 1);
        var before = number.clone();
        number.add_(change);
        var values = critic.Appraise(_batch).Old;
        number.copy_(before);
        return Enumerable.Range(0, values.Length).Average(n =>
        {
            double value = values[n], target = appraisal.Returns[n];
            var near = clip == 0 ? value : Math.Clamp(value, appraisal.Old[n] - clip, appraisal.Old[n] + clip);
            return Math.Max(Math.Pow(value - target, 2), Math.Pow(near - target, 2)) / 2;
        });
    }

    private void SetHead(Critic? critic = null)
    {
        using var scope = NewDisposeScope();
        using var quiet = no_grad();
        var head = (critic ?? _critic).State().Weights[TinyPolicy.Head];
        head.copy_(tensor([.. Enumerable.Range(0, 16).Select(i => .3f * MathF.Sin(2 * i))]).view(1, 16));
    }

    private Critic New(CriticSettings? settings = null, MethodSettings? likelihood = null) => new(
        GrpoLearnerTests.TinySettings("").Algorithm with { Likelihood = likelihood ?? Methods.Likelihood("trajectory") }, settings ?? Settings, _policy);
}
