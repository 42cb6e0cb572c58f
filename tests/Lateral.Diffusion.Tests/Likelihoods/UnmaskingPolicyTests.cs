using Lateral.Core.Learning;
using Lateral.Core.Policies;
using Lateral.Core.Rollouts;
using Lateral.Diffusion;
using Lateral.Diffusion.Checkpoints;
using Lateral.Diffusion.Learning;
using Lateral.Diffusion.Likelihoods;
using Lateral.Diffusion.Models;
using Lateral.Diffusion.Sampling;
using static TorchSharp.torch;

namespace Lateral.Tests.Diffusion;

/// <summary>A learned order of revealing; what it is worth as a likelihood stands in <see cref="ExactnessTests"/>.</summary>
public sealed class UnmaskingPolicyTests : IDisposable
{
    private const string Score = "unmasking_policy.score.weight", Query = "model.transformer.blocks.0.q_proj.weight";

    private static readonly DigitTokenizer Tokenizer = new(withEnd: true);
    private static readonly RolloutSpec Spec = new(6, 3, 4, .8, "unmasking-policy", StopAtEnd: true);

    private readonly string _root = Directory.CreateTempSubdirectory().FullName;
    private readonly TransformerModel _model = TinyPolicy.FreshModel(Tokenizer, 4, unmasking: true);

    public void Dispose()
    {
        _model.Dispose();
        Directory.Delete(_root, recursive: true);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Replayed_steps_must_equal_the_recorded_ones_across_blocks_prompt_lengths_and_temperatures(bool alone)
    {
        var rollouts = await SampleAsync(Spec, alone);
        var likelihood = Steps(Spec);
        var table = Scoring.TableOf(rollouts, likelihood);
        Assert.Contains(table.Views, placed => placed.View.Draw is not null);
        var values = Scoring.Values(_model, table, likelihood, Spec.Temperature);
        for (var i = 0; i < values.Length; i++) Assert.Equal(table.Units[i].Behaviour, values[i], 1e-5);
    }

    [Fact]
    public async Task Greedy_rollout_must_reveal_the_highest_scores_and_never_draw()
    {
        var spec = new RolloutSpec(4, 4, 2, 0, "unmasking-policy", StopAtEnd: false);
        var rollouts = await SampleAsync(spec);
        // Siblings of one prompt have nothing left that could differ.
        Assert.All(rollouts.GroupBy(rollout => rollout.Id.Group), group => Assert.Single(group.Select(Outcome.KeyOf).Distinct()));
        using var scope = NewDisposeScope();
        using var quiet = no_grad();
        var (first, prompt) = (rollouts[0], rollouts[0].Prompt.Length);
        var ids_1L = tensor(first.Prompt.Select(id => (long)id).Concat(Enumerable.Repeat((long)Tokenizer.MaskId, 4)).ToArray(), 1, prompt + 4);
        var inBlock = Enumerable.Range(0, prompt + 4).Select(i => i >= prompt).ToArray();
        var state = new UnmaskingState(tensor(inBlock, 1, inBlock.Length), tensor(inBlock, 1, inBlock.Length), tensor([0f]));
        var scores = UnmaskingPolicy.Scores(_model, _model.Hidden(ids_1L), state, null).data<float>().ToArray()[prompt..];
        Assert.Equal(Enumerable.Range(0, 4).OrderByDescending(i => scores[i]).Take(2).Order(), Enumerable.Range(0, 4).Where(i => first.RevealStep[i] == 0));
    }

    [Fact]
    public void Fresh_policy_must_be_indifferent()
    {
        using var fresh = ModelStore.Fresh(_model.Spec, seed: 3);
        using var scope = NewDisposeScope();
        var ids_BL = tensor([1L, 10, 3, 10, 2, 10, 10, 10], 2, 4);
        var state = new UnmaskingState(ids_BL.eq(tensor(10L)), ones([2, 4], ScalarType.Bool), tensor([0f, .5f]));
        Assert.All(UnmaskingPolicy.Scores(fresh, fresh.Hidden(ids_BL), state, null).data<float>().ToArray(), score => Assert.Equal(0, score));
    }

    [Fact]
    public async Task Gradient_must_agree_with_finite_differences_in_both_policies()
    {
        var rollouts = await SampleAsync(Spec);
        var likelihood = Steps(Spec);
        var advantages = rollouts.Select((_, i) => (float)(i % 3) - 1).ToArray();
        var gradients = ScoredGradients.Of(_model, rollouts, likelihood, advantages, Spec.Temperature);
        foreach (var name in new[] { Score, Query, "unmasking_policy.norm_in.weight", "unmasking_policy.time_out.weight", "unmasking_policy.mask_embedding.weight", "unmasking_policy.q_proj.weight" })
            ScoredGradients.AssertFiniteDifference(_model, name, gradients[name], () => ScoredGradients.Value(_model, rollouts, likelihood, advantages, Spec.Temperature));
    }

    [Fact]
    public void Model_must_keep_its_policy_in_its_folder_and_get_a_fresh_one_where_the_folder_has_none()
    {
        var (with, without) = (Directory.CreateDirectory(Path.Combine(_root, "with")).FullName, Directory.CreateDirectory(Path.Combine(_root, "without")).FullName);
        ModelStore.Save(_model, with);
        using var plain = TinyPolicy.FreshModel(Tokenizer, 4);
        ModelStore.Save(plain, without);
        Assert.DoesNotContain("unmasking", File.ReadAllText(Path.Combine(without, ModelStore.ConfigFile)), StringComparison.Ordinal);
        using var scope = NewDisposeScope();
        using var loaded = new PolicyNetwork(new ModelSettings(with, new(16, 2, 2, 32)), Tokenizer, 9) { UnmaskingPolicy = true }.Build(CPU, trainable: true);
        Assert.Equal(_model.Spec, loaded.Spec);
        Assert.All(_model.Parameters, pair => Assert.True(pair.Value.equal(loaded.Parameters[pair.Key]).all().item<bool>(), pair.Key));

        var network = new PolicyNetwork(new ModelSettings(without, new(16, 2, 2, 32)), Tokenizer, 9) { UnmaskingPolicy = true };
        using var extended = network.Build(CPU, trainable: true);
        Assert.Equal(network.Spec, extended.Spec);
        Assert.All(plain.Parameters, pair => Assert.True(pair.Value.equal(extended.Parameters[pair.Key]).all().item<bool>(), pair.Key));
        Assert.Equal(_model.Parameters.Keys.Order(StringComparer.Ordinal), extended.Parameters.Keys.Order(StringComparer.Ordinal));
        Assert.Equal(0, extended.Parameters[Score].abs().max().item<float>());
    }

    [Theory]
    [InlineData("unmasking-policy", TrainedPolicy.Both, true, true)]
    [InlineData("unmasking-policy", TrainedPolicy.Token, true, false)]
    [InlineData("unmasking-policy", TrainedPolicy.Unmasking, false, true)]
    [InlineData("bernoulli", TrainedPolicy.Both, true, true)]
    [InlineData("bernoulli", TrainedPolicy.Token, true, false)]
    [InlineData("bernoulli", TrainedPolicy.Unmasking, false, true)]
    public async Task Policy_that_does_not_learn_must_stay_to_the_bit(string reveal, TrainedPolicy trained, bool token, bool unmasking)
    {
        var spec = new RolloutSpec(4, 4, 2, 1, reveal, StopAtEnd: false);
        var settings = GrpoLearnerTests.TinySettings(Path.Combine(_root, $"{reveal}-{trained}")) with { Rollout = spec };
        // Decay would move a weight that has no gradient, too.
        settings = settings with { Algorithm = settings.Algorithm with { Unit = RatioGranularity.Step, Train = trained, WeightDecay = .1 } };
        await using var learner = new GrpoLearner(settings, GrpoLearnerTests.Network() with { UnmaskingPolicy = true }, _ => throw new NotSupportedException(), SharedGradients.Alone());
        var (@base, _) = await learner.PrepareBaseAsync(new GrpoLearnerTests.Quiet(), default);
        var report = await learner.TrainAsync(Rollouts.Batch(1, 4, 4, 1), default);
        Assert.False(report.Skipped);
        using var scope = NewDisposeScope();
        using var before = SafetensorsFile.Open(Path.Combine(settings.RunDirectory, @base.Location));
        using var after = SafetensorsFile.Open(Path.Combine(settings.RunDirectory, report.Policy.Location));
        bool Moved(string name) => !before.Read(name).equal(after.Read(name)).all().item<bool>();
        Assert.Equal((token, unmasking), (Moved(Query), Moved(Score)));
    }

    private static TrajectoryLikelihood Steps(RolloutSpec spec) => new(RatioGranularity.Step, StepSubset.All, spec);

    private Task<Trajectory[]> SampleAsync(RolloutSpec spec, bool alone = false) => TinyPolicy.SampleAsync(_model, Tokenizer, spec, alone);
}
