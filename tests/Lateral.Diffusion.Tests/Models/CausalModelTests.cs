using Lateral.Core.Learning;
using Lateral.Core.Policies;
using Lateral.Core.Rollouts;
using Lateral.Diffusion;
using Lateral.Diffusion.Likelihoods;
using Lateral.Diffusion.Models;
using Lateral.Diffusion.Objectives;
using Lateral.Diffusion.Tensors;
using static TorchSharp.torch;

namespace Lateral.Tests.Diffusion;

/// <summary>The autoregressive twin: the same network, in which a position sees what stands before it.</summary>
public sealed class CausalModelTests : IDisposable
{
    private static readonly DigitTokenizer Tokenizer = new(withEnd: false, digits: 3);
    private static readonly RolloutSpec Spec = new(3, 3, 3, 1, "left-to-right", false);

    private readonly TransformerModel _model = Fresh(1);

    public void Dispose() => _model.Dispose();

    [Fact]
    public void What_stands_behind_a_position_must_not_matter_and_what_stands_before_it_must()
    {
        using var scope = NewDisposeScope();
        using var quiet = no_grad();
        var (one, other) = (Hidden(0, 1, 2, 1), Hidden(0, 1, 0, 2));
        Assert.True(one.narrow(1, 0, 2).sub(other.narrow(1, 0, 2)).abs().max().item<float>() < 1e-6);
        Assert.True(one.narrow(1, 2, 2).sub(other.narrow(1, 2, 2)).abs().max().item<float>() > 1e-3);
        // What is asked about a position is read before it; the first has nothing before it.
        var rows = _model.HiddenRows(tensor(new long[] { 0, 1, 2, 1 }, 1, 4), tensor(new long[] { 0, 1, 3 }));
        Assert.Equal(0, rows.sub(one.squeeze(0).index_select(0, tensor(new long[] { 0, 0, 2 }))).abs().max().item<float>(), 1e-6f);

        Tensor Hidden(params long[] ids) => _model.Hidden(tensor(ids, 1, ids.Length));
    }

    [Fact]
    public void Shorter_canvases_of_a_batch_must_be_answered_as_if_they_stood_alone()
    {
        using var scope = NewDisposeScope();
        using var quiet = no_grad();
        var together = _model.Hidden(tensor(new long[] { 2, 1, 0, 1, 1, 2, 3, 3 }, 2, 4), tensor(new[] { true, true, true, true, true, true, false, false }, 2, 4));
        var alone = _model.Hidden(tensor(new long[] { 1, 2 }, 1, 2));
        Assert.Equal(0, together.narrow(0, 1, 1).narrow(1, 0, 2).sub(alone).abs().max().item<float>(), 1e-6f);
    }

    /// <summary>27 outcomes of three tokens: probabilities sum to 1 and the mean score vanishes, by one forward of each finished rollout.</summary>
    [Fact]
    public void Likelihood_must_be_the_product_of_the_tokens_by_one_forward_of_a_rollout()
    {
        var outcomes = new Enumeration(Tokenizer, [2, 0], Spec, _ => _model).All();
        Assert.Equal(27, outcomes.Count);
        var likelihood = Likelihood(causal: true);
        using var scope = NewDisposeScope();
        var table = Scoring.TableOf(outcomes.Select(outcome => outcome.Trajectory), likelihood, [.. outcomes.Select(_ => 1f)]);
        Assert.Equal(27, table.Views.Count);
        var values = Scoring.Values(_model, table, likelihood);
        var states = Likelihood(causal: false);
        var byState = Scoring.Values(_model, Scoring.TableOf(outcomes.Select(outcome => outcome.Trajectory), states), states);
        Assert.All(values.Zip(byState), pair => Assert.Equal(pair.Second, pair.First, 1e-5));
        var logProbs = table.Units.Zip(values).GroupBy(pair => pair.First.Rollout).Select(own => own.Sum(pair => pair.Second)).ToArray();
        Assert.Equal(1, logProbs.Sum(Math.Exp), 1e-5);
        for (var i = 0; i < outcomes.Count; i++) Assert.Equal(outcomes[i].LogProb, logProbs[i], 1e-5);

        var weighted = Scoring.TableOf(outcomes.Select(outcome => outcome.Trajectory), likelihood, [.. logProbs.Select(logp => (float)Math.Exp(logp))]);
        foreach (var batch in MicroBatch.Cut(weighted.Views, 40, Tokenizer.MaskId))
        {
            var device = DeviceMicroBatch.Upload(batch, weighted.Units, _model);
            likelihood.Combine(ViewScorer.Score(_model, device, 1), device.Questions, device.Units).mul(device.Units.Advantage_U).sum().backward();
        }

        Assert.True(_model.Parameters.Values.Max(parameter => parameter.grad?.abs().max().item<float>() ?? 0) < 2e-6);
    }

    [Fact]
    public async Task Sampler_must_record_what_the_learner_scores()
    {
        var finished = await TinyPolicy.SampleAsync(_model, Tokenizer, Spec);
        var worst = Scoring.Score(_model, Scoring.TableOf(finished, Likelihood(causal: true))).Max(scored => Math.Abs(scored.LogProb - scored.Unit.Behaviour));
        Assert.InRange(worst, 0, 1e-5);
    }

    [Fact]
    public void Next_token_must_ask_about_every_token_of_a_clean_answer()
    {
        SupervisedExample[] examples = [new([2, 0], [1, 2, 0]), new([1], [0])];
        var batch = new NextTokenObjective().Noise(_model, examples, new(new(1), 0, 1, 0));
        Assert.Equal([2, 0, 1, 2, 0, 1, 0, 0, 0, 0], batch.Ids_BL);
        Assert.Equal([2, 3, 4, 6], batch.Rows_N);
        Assert.Equal([1, 2, 0, 0], batch.Targets_N);
        Assert.Equal([1f / 6, 1f / 6, 1f / 6, 1f / 2], batch.Weights_N);
        using var full = TinyPolicy.FreshModel(Tokenizer, 1);
        Assert.Contains("needs a model with causal attention", Assert.Throws<ArgumentException>(() => new NextTokenObjective().Noise(full, examples, new(new(1), 0, 1, 0))).Message, StringComparison.Ordinal);
    }

    /// <summary>
    /// Two equally likely answers, of which the first token decides the others: the loss ends at log 2 and twice 0, over three. (No answer begins with the prompt's token: of equal
    /// tokens alone a model without absolute positions cannot tell how many there are.)
    /// </summary>
    [Fact]
    public async Task Training_must_find_the_conditionals_of_the_data()
    {
        SupervisedExample Example(int step, int row) => new([2], [row % 2, (row + 1) % 2, row % 2]);
        using var thread = new DeviceThread("causal");
        var (last, settings) = (0.0, new SupervisedSettings(150, 12, new(2e-2, 10, 150, Decay.Linear, .1), new(.9, .99, 1e-8, 0), 1, 0, 1));
        await thread.Run(() => SupervisedTrainer.Train(_model, settings, new NextTokenObjective(), Example, progress => last = progress.Loss), Autograd.On).WaitAsync(TimeSpan.FromMinutes(2));
        Assert.Equal(Math.Log(2) / 3, last, .02);
    }

    [Fact]
    public void Checkpoint_must_say_what_it_is_and_be_refused_as_the_other_kind()
    {
        using var policy = new TinyPolicy(_model);
        Assert.True(ModelFamilies.Read(Path.Combine(policy.Folder, ModelStore.ConfigFile)).Causal);
        Assert.Contains("\"model_type\": \"llada-causal\"", File.ReadAllText(Path.Combine(policy.Folder, ModelStore.ConfigFile)), StringComparison.Ordinal);
        PolicyNetwork Network(bool causal) => new(new ModelSettings(policy.Folder, new(16, 2, 2, 32)) { Causal = causal }, Tokenizer, 1);
        using (var loaded = Network(true).Build(CPU, trainable: false)) Assert.True(loaded.Spec.Causal);
        Assert.Contains("is autoregressive: write model.attention = causal", Assert.Throws<ModelException>(() => Network(false).Build(CPU, trainable: false)).Message, StringComparison.Ordinal);
        Assert.Contains("is autoregressive", Assert.Throws<ModelException>(() => Network(false).Spec).Message, StringComparison.Ordinal);
    }

    private static TransformerModel Fresh(ulong seed)
    {
        using var scope = NewDisposeScope();
        using var quiet = no_grad();
        var model = ModelStore.Fresh(new TransformerSpec(16, 2, 2, 32, Tokenizer.VocabularySize, 64, 1e-5, 10_000, Tokenizer.MaskId, null, null) { Causal = true }, seed);
        model.Parameters["model.transformer.ff_out.weight"].mul_(3f);
        return model;
    }

    private static TrajectoryLikelihood Likelihood(bool causal) => new(RatioGranularity.Token, StepSubset.All, causal: causal);
}
