using Lateral.Core.Learning;
using Lateral.Core.Policies;
using Lateral.Diffusion;
using Lateral.Diffusion.Learning;
using Lateral.Diffusion.Likelihoods;
using Lateral.Diffusion.Models;
using Lateral.Diffusion.Sampling;
using Lateral.Diffusion.Tensors;
using static TorchSharp.torch;

namespace Lateral.Tests.Diffusion;

public sealed class PolicyCanaryTests : IDisposable
{
    private static readonly DigitTokenizer Tokenizer = new(withEnd: false);

    private readonly string _folder = Directory.CreateTempSubdirectory().FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void Canary_of_a_model_that_knows_nothing_must_be_the_uniform_log_prob()
    {
        using var scope = NewDisposeScope();
        using var model = Quickstart();
        using (no_grad()) model.Parameters["model.transformer.ff_out.weight"].zero_();
        // Ten digits; MASK has no share.
        Assert.Equal(-Math.Log(10), PolicyCanary.LogProb(model), 1e-6);
    }

    [Fact]
    public void Canary_must_depend_on_nothing_but_the_weights_and_leave_no_trace_in_them()
    {
        using var scope = NewDisposeScope();
        using var trainable = Quickstart();
        var hash = ModelStore.Save(trainable, _folder);
        using var loaded = ModelStore.Load(_folder, trainable: false);
        var first = PolicyCanary.LogProb(trainable);
        Assert.Equal(first, PolicyCanary.LogProb(trainable));
        Assert.Equal(first, PolicyCanary.LogProb(loaded));
        Assert.All(trainable.Parameters.Values, parameter => Assert.Null(parameter.grad));
        Assert.Equal(hash, ModelStore.Save(trainable, _folder));
    }

    [Fact]
    public void Every_weight_must_move_the_canary()
    {
        using var scope = NewDisposeScope();
        using var quiet = no_grad();
        using var model = Quickstart();
        var before = PolicyCanary.LogProb(model);
        foreach (var (name, parameter) in model.Parameters)
        {
            using var kept = parameter.clone();
            parameter.AddInPlace(parameter.roll(1, 0), .01);
            if (parameter.dim() > 1) Assert.True(Math.Abs(PolicyCanary.LogProb(model) - before) > 1e-6, name);
            parameter.MultiplyInPlace(1.1);
            Assert.True(Math.Abs(PolicyCanary.LogProb(model) - before) > 1e-6, name);
            parameter.copy_(kept);
        }

        Assert.Equal(before, PolicyCanary.LogProb(model));
    }

    /// <summary>The fused kernels compute float32 only: float64 and bfloat16 take libtorch's operations.</summary>
    [Theory]
    [InlineData(ScalarType.Float64, 2e-6)]
    [InlineData(ScalarType.BFloat16, 2e-2)]
    public void Canary_must_hardly_differ_without_the_fused_kernels(ScalarType type, double most)
    {
        using var scope = NewDisposeScope();
        using var fused = Quickstart();
        ModelStore.Save(fused, _folder);
        using var plain = ModelStore.Load(_folder, trainable: false, type: type);
        Assert.InRange(Math.Abs(PolicyCanary.LogProb(fused) - PolicyCanary.LogProb(plain)), 1e-12, most);
    }

    [Fact]
    public void Limit_must_be_wider_for_weights_of_16_bits_and_no_number_be_within_it()
    {
        using var scope = NewDisposeScope();
        using var quiet = no_grad();
        using var model = Quickstart();
        ModelStore.Save(model, _folder);
        using var half = ModelStore.Load(_folder, trainable: false, type: ScalarType.BFloat16);
        var manifest = Manifest(PolicyCanary.LogProb(model));
        Assert.Equal(0, PolicyCanary.Difference(model, manifest, limit: 0));
        Assert.InRange(PolicyCanary.Difference(half, manifest, limit: 1e-4)!.Value, 1e-4, 1e-1);
        Assert.Throws<PolicyUnavailableException>(() => PolicyCanary.Difference(half, manifest, limit: 1e-9));
        Assert.Null(PolicyCanary.Difference(model, Manifest(null), limit: 0));
        model.Parameters["model.transformer.ln_f.weight"].fill_(float.NaN);
        Assert.Throws<PolicyUnavailableException>(() => PolicyCanary.Difference(model, manifest, limit: 1000));
    }

    [Theory]
    [InlineData(2, 0, 1)]
    [InlineData(2, 1, 3)]
    [InlineData(5, 2, 64)]
    public void Canary_must_fit_the_smallest_vocabulary_and_the_shortest_canvas(int vocabulary, int mask, int length)
    {
        using var scope = NewDisposeScope();
        using var model = ModelStore.Fresh(TransformerSpec.OfSize("quickstart", vocabulary, mask, maxLength: length), seed: 3);
        var logProb = PolicyCanary.LogProb(model);
        if (vocabulary == 2) Assert.Equal(0, logProb);
        else Assert.InRange(logProb, -10, -.01);
    }

    [Fact]
    public async Task Sampler_must_find_the_canary_of_the_quickstarts_learner_to_the_bit()
    {
        var network = new PolicyNetwork(new ModelSettings(null, new(64, 3, 4, 128)), Tokenizer, 5);
        await using var learner = new GrpoLearner(GrpoLearnerTests.TinySettings(_folder), network, _ => throw new NotSupportedException(), SharedGradients.Alone());
        await using var sampler = new DiffusionSampler(new("cpu", 4, null, 1, CanaryLimit: 0), Tokenizer, network);
        var (policy, _) = await learner.PrepareBaseAsync(new GrpoLearnerTests.Quiet(), default);
        await sampler.SwapAsync(policy, Path.Combine(_folder, policy.Location));
        Assert.Equal(0, sampler.Statistics.CanaryDifference);
        var trained = (await learner.TrainAsync(Rollouts.Batch(1, 4, 4, 1), default)).Policy;
        // One step moves the canary by far more than the default limit.
        Assert.True(Math.Abs(trained.Canary!.Value - policy.Canary!.Value) > 1e-3, $"{trained.Canary} after {policy.Canary}");
        await sampler.SwapAsync(trained, Path.Combine(_folder, trained.Location));
        Assert.Equal(0, sampler.Statistics.CanaryDifference);
        await sampler.SwapAsync(trained with { Canary = null }, Path.Combine(_folder, trained.Location));
        Assert.Null(sampler.Statistics.CanaryDifference);
    }

    private static TransformerModel Quickstart() => ModelStore.Fresh(TransformerSpec.OfSize("quickstart", 11, 10), seed: 3);

    private static PolicyManifest Manifest(double? canary) => new(1, 1, "", "", PayloadKind.Full, 0, "") { Canary = canary };
}
