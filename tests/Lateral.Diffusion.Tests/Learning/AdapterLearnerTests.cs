using Lateral.Core.Learning;
using Lateral.Core.Policies;
using Lateral.Diffusion;
using Lateral.Diffusion.Checkpoints;
using Lateral.Diffusion.Learning;
using Lateral.Diffusion.Likelihoods;
using Lateral.Diffusion.Models;
using Lateral.Diffusion.Objectives;
using Lateral.Diffusion.Sampling;
using static TorchSharp.torch;

namespace Lateral.Tests.Diffusion;

/// <summary>A learner of an adapter: the model below stays what it is, and everything that is published and saved is the adapter.</summary>
public sealed class AdapterLearnerTests : IDisposable
{
    private static readonly DigitTokenizer Tokenizer = new(withEnd: true);

    private readonly string _root = Directory.CreateTempSubdirectory().FullName;

    public AdapterLearnerTests()
    {
        Directory.CreateDirectory(Base);
        using var model = TinyPolicy.FreshModel(Tokenizer, 4);
        ModelStore.Save(model, Base);
    }

    private string Base => Path.Combine(_root, "base");

    public void Dispose() => Directory.Delete(_root, recursive: true);

    [Fact]
    public async Task Learner_must_train_publish_and_save_the_adapter_and_leave_the_model()
    {
        var before = TinyPolicy.HashOf(Path.Combine(Base, ModelStore.WeightsFile));
        await using var learner = Learner("a");
        var (policy, saved) = await learner.PrepareBaseAsync(new GrpoLearnerTests.Quiet(), default);
        Assert.Equal((PayloadKind.Adapter, "policies/v0.adapter.safetensors", saved.Hash), (policy.Kind, policy.Location, policy.Hash));
        var trained = await learner.TrainAsync(Rollouts.Batch(1, 4, 4, 1), default);
        var checkpoint = await learner.CheckpointAsync(default);
        Assert.NotEqual(policy.Hash, trained.Policy.Hash);
        Assert.Equal(trained.Policy.Hash, checkpoint.Hash);
        Assert.Equal(["adapter_config.json", "adapter_model.safetensors", "manifest.json", "optimizer.safetensors", "state.json"], Directory.EnumerateFiles(Path.Combine(_root, "a", checkpoint.Location)).Select(Path.GetFileName).Order(StringComparer.Ordinal));
        Assert.Equal(before, TinyPolicy.HashOf(Path.Combine(Base, ModelStore.WeightsFile)));

        using var file = SafetensorsFile.Open(Path.Combine(_root, "a", trained.Policy.Location));
        // Seven maps of each of two blocks, two matrices each.
        Assert.Equal(28, file.Tensors.Count);
        Assert.Equal(before, file.Metadata["base_sha256"]);
        Assert.All(file.Tensors, tensor => Assert.StartsWith("base_model.model.model.transformer.blocks.", tensor.Name, StringComparison.Ordinal));
    }

    [Fact]
    public async Task Fresh_adapter_must_be_the_model_and_a_trained_one_its_merged_weights()
    {
        await using var learner = Learner("a");
        var (policy, _) = await learner.PrepareBaseAsync(new GrpoLearnerTests.Quiet(), default);
        using var plain = ModelStore.Load(Base, trainable: false);
        using var adapted = Network().Build(CPU, trainable: false);
        PolicyWeights.Load(adapted, Path.Combine(_root, "a", policy.Location));
        Assert.Equal(PolicyCanary.LogProb(plain), PolicyCanary.LogProb(adapted), 12);

        var trained = await learner.TrainAsync(Rollouts.Batch(1, 4, 4, 1), default);
        var weights = Path.Combine(_root, "a", trained.Policy.Location);
        PolicyWeights.Load(adapted, weights);
        var expected = PolicyCanary.LogProb(adapted);
        Assert.True(Math.Abs(expected - PolicyCanary.LogProb(plain)) > 1e-3);
        Assert.Equal(expected, trained.Policy.Canary!.Value, 6);

        var merged = Directory.CreateDirectory(Path.Combine(_root, "merged")).FullName;
        Assert.Equal(Network().WriteMerged(weights, merged), TinyPolicy.HashOf(Path.Combine(merged, ModelStore.WeightsFile)));
        using var whole = ModelStore.Load(merged, trainable: false);
        Assert.Equal(expected, PolicyCanary.LogProb(whole), 5);
    }

    [Fact]
    public async Task Resumed_learner_must_end_bit_for_bit_like_an_uninterrupted_one()
    {
        var expected = await RunAsync("a", settings => settings);
        Checkpoint checkpoint;
        await using (var learner = Learner("b"))
        {
            await learner.PrepareBaseAsync(new GrpoLearnerTests.Quiet(), default);
            await learner.TrainAsync(Rollouts.Batch(1, 4, 4, 1), default);
            checkpoint = await learner.CheckpointAsync(default);
        }

        await using var resumed = Learner("b");
        await resumed.LoadAsync(checkpoint, default);
        for (var step = 2; step < 3; step++) await resumed.TrainAsync(Rollouts.Batch(step, 4, 4, step), default);
        Assert.Equal(expected, (await resumed.TrainAsync(Rollouts.Batch(3, 4, 4, 3), default)).Policy.Hash);
    }

    [Fact]
    public async Task Activation_checkpointing_must_not_change_the_weights() =>
        Assert.Equal(await RunAsync("a", settings => settings), await RunAsync("b", settings => settings with { Algorithm = settings.Algorithm with { ActivationCheckpointing = true } }));

    [Fact]
    public async Task Reference_must_be_the_adapter_that_the_run_began_with_on_shared_weights()
    {
        // At k1 to a reference that is the policy itself there is no penalty, and one step later there is.
        await using var learner = Learner("a", settings => settings with { Algorithm = settings.Algorithm with { Kl = new(.1, "k1", "reference"), LrWarmup = 0 } });
        await learner.PrepareBaseAsync(new GrpoLearnerTests.Quiet(), default);
        Assert.Equal(0, (await learner.TrainAsync(Rollouts.Batch(1, 4, 4, 1), default)).Metrics["kl/reference"], 6);
        Assert.NotEqual(0, (await learner.TrainAsync(Rollouts.Batch(2, 4, 4, 2), default)).Metrics["kl/reference"], 6);
    }

    [Fact]
    public async Task Adapter_of_other_weights_must_be_refused()
    {
        await using var learner = Learner("a");
        var (policy, _) = await learner.PrepareBaseAsync(new GrpoLearnerTests.Quiet(), default);
        using (var other = TinyPolicy.FreshModel(Tokenizer, 9)) ModelStore.Save(other, Base);
        using var adapted = Network().Build(CPU, trainable: false);
        Assert.Contains("every node needs the files that the run began with", Assert.Throws<PolicyUnavailableException>(() => PolicyWeights.Load(adapted, Path.Combine(_root, "a", policy.Location))).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Narrow_base_must_be_kept_narrow_and_its_adapter_wide()
    {
        await using var learner = new GrpoLearner(GrpoLearnerTests.TinySettings(Path.Combine(_root, "a")), Network(ModelPrecision.BFloat16), _ => throw new NotSupportedException(), SharedGradients.Alone());
        await learner.PrepareBaseAsync(new GrpoLearnerTests.Quiet(), default);
        var trained = await learner.TrainAsync(Rollouts.Batch(1, 4, 4, 1), default);
        using var model = Network(ModelPrecision.BFloat16).Build(CPU, trainable: true);
        Assert.All(model.Parameters.Values, parameter => Assert.Equal((ScalarType.BFloat16, false), (parameter.dtype, parameter.requires_grad)));
        Assert.All(model.Policy.Values, parameter => Assert.Equal((ScalarType.Float32, true), (parameter.dtype, parameter.requires_grad)));
        PolicyWeights.Load(model, Path.Combine(_root, "a", trained.Policy.Location));
        Assert.Equal(trained.Policy.Canary!.Value, PolicyCanary.LogProb(model), 6);
    }

    [Fact]
    public void Every_linear_map_must_be_named_by_block_and_nothing_else()
    {
        var spec = ModelStore.ReadSpec(Base);
        Assert.Equal(@"model\.transformer\.blocks\.\d+\.(q_proj|k_proj|v_proj|attn_out|ff_proj|up_proj|ff_out)", LoraAdapter.EveryLinearMap(spec));
        var settings = LoraSettings.Of(new(4, 8, false, []), spec, Base);
        Assert.Empty(LoraAdapter.Warnings(spec, settings));
        using var adapter = LoraAdapter.Fresh(spec, settings, 1);
        Assert.Equal(adapter.Parameters.Sum(pair => pair.Value.numel()), LoraAdapter.ParameterCount(spec, settings));
    }

    private PolicyNetwork Network(ModelPrecision precision = ModelPrecision.Float32) => new(new ModelSettings(Base, new(16, 2, 2, 32)) { Adapter = new(4, 8, false, []), Precision = precision }, Tokenizer, 5);

    private GrpoLearner Learner(string name, Func<GrpoSettings, GrpoSettings>? change = null) =>
        new((change ?? (settings => settings))(GrpoLearnerTests.TinySettings(Path.Combine(_root, name))), Network(), index => new SupervisedExample([(int)(index % 10)], [1, 2]), SharedGradients.Alone());

    private async Task<string> RunAsync(string name, Func<GrpoSettings, GrpoSettings> change)
    {
        await using var learner = Learner(name, change);
        await learner.PrepareBaseAsync(new GrpoLearnerTests.Quiet(), default);
        var hash = "";
        for (var step = 1; step <= 3; step++) hash = (await learner.TrainAsync(Rollouts.Batch(step, 4, 4, step), default)).Policy.Hash;
        return hash;
    }
}
