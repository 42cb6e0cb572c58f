using Lateral.Core.Learning;
using Lateral.Core.Policies;
using Lateral.Diffusion;
using Lateral.Diffusion.Learning;
using Lateral.Diffusion.Objectives;

namespace Lateral.Tests.Diffusion;

public sealed class GrpoLearnerTests : IDisposable
{
    private static readonly DigitTokenizer Tokenizer = new(withEnd: true);

    private readonly string _root = Directory.CreateTempSubdirectory().FullName;

    public void Dispose() => Directory.Delete(_root, recursive: true);

    [Fact]
    public async Task Base_must_be_durable_hashed_and_the_same_from_the_same_seed()
    {
        await using var first = Learner("a");
        await using var second = Learner("b");
        var (policy, checkpoint) = await first.PrepareBaseAsync(new Quiet(), default);
        var (again, _) = await second.PrepareBaseAsync(new Quiet(), default);
        Assert.Equal(policy.Hash, again.Hash);
        Assert.Equal((0, "", 0), (policy.Version, policy.ParentHash, checkpoint.Step));
        Assert.Equal("policies/v0.safetensors", policy.Location);
        Assert.Equal(policy.Hash, TinyPolicy.HashOf(Path.Combine(_root, "a", policy.Location)));
        Assert.Equal(policy.Bytes, new FileInfo(Path.Combine(_root, "a", policy.Location)).Length);
        // One policy has one hash, published or checkpointed.
        Assert.Equal(policy.Hash, checkpoint.Hash);
        Assert.Equal(policy.Hash, TinyPolicy.HashOf(Path.Combine(_root, "a", "checkpoints", "step_0", "model.safetensors")));
    }

    [Fact]
    public async Task Warmup_must_change_the_fresh_model_and_report_its_progress()
    {
        var progress = new Quiet();
        await using var learner = Learner("a", settings => settings with { Warmup = new(12, 8, 1e-3, 4) });
        await using var again = Learner("c", settings => settings with { Warmup = new(12, 8, 1e-3, 4) });
        await using var fresh = Learner("b");
        var (trained, _) = await learner.PrepareBaseAsync(progress, default);
        Assert.Equal(trained.Hash, (await again.PrepareBaseAsync(new Quiet(), default)).Policy.Hash);
        Assert.NotEqual((await fresh.PrepareBaseAsync(new Quiet(), default)).Policy.Hash, trained.Hash);
        Assert.Equal(Enumerable.Range(1, 12), progress.Steps);
    }

    [Fact]
    public async Task Step_must_publish_a_durable_policy_with_its_parent_and_metrics()
    {
        await using var learner = Learner("a");
        var (@base, _) = await learner.PrepareBaseAsync(new Quiet(), default);
        var report = await learner.TrainAsync(Rollouts.Batch(1, 4, 4, 1) with { Epoch = 3 }, default);
        Assert.Equal((1, false), (report.Step, report.Skipped));
        Assert.Equal(new PolicyManifest(3, 1, report.Policy.Hash, @base.Hash, PayloadKind.Full, @base.Bytes, "policies/v1.safetensors") { Canary = report.Policy.Canary }, report.Policy);
        Assert.Equal(report.Policy.Hash, TinyPolicy.HashOf(Path.Combine(_root, "a", report.Policy.Location)));
        Assert.NotEqual(@base.Hash, report.Policy.Hash);
        await Assert.ThrowsAsync<InvalidOperationException>(() => learner.PrepareBaseAsync(new Quiet(), default));
        string[] names =
        [
            "denoise/steps_mean", "denoise/tokens_per_step", "entropy/reveal", "kl/behaviour", "kl/behaviour_k3", "learner/ranks", "optim/grad_norm", "optim/loss", "optim/lr", "optim/micro_batch_tokens",
            "ratio/chi2", "ratio/clip_fraction", "ratio/clip_fraction_bad", "ratio/clip_fraction_good", "ratio/ess", "ratio/mean", "ratio/std",
            "reveal/commit_step", "reveal/left_to_right", "reward/frac_zero_std", "reward/mean", "reward/std", "staleness/max", "staleness/mean", "staleness/span",
            "time/publish", "time/train", "tokens/scored", "tokens/trained",
        ];
        Assert.Equal(names, report.Metrics.Keys);
        Assert.All(report.Metrics.Values, value => Assert.True(double.IsFinite(value)));
        // Update 0 of a warm-up of 2 at a peak of 1e-2.
        Assert.Equal(5e-3, report.Metrics["optim/lr"], 1e-12);
    }

    [Fact]
    public async Task Learner_must_make_rewarded_trajectories_likelier()
    {
        await using var learner = Learner("a");
        await learner.PrepareBaseAsync(new Quiet(), default);
        double[] loss = new double[8];
        for (var step = 1; step <= loss.Length; step++)
            loss[step - 1] = (await learner.TrainAsync(Rollouts.Batch(step, 4, 4, 1, (_, i) => i == 0 ? 1 : 0), default)).Metrics["optim/loss"];
        Assert.True(loss[^1] < loss[0] - .05, string.Join(' ', loss));
    }

    [Fact]
    public async Task Same_batches_on_the_same_base_must_give_the_same_weights_to_the_bit()
    {
        Assert.Equal(await RunAsync("a", 3), await RunAsync("b", 3));
    }

    [Fact]
    public async Task Resumed_learner_must_end_bit_for_bit_like_an_uninterrupted_one()
    {
        var expected = await RunAsync("a", 5);
        Checkpoint checkpoint;
        await using (var learner = Learner("b"))
        {
            await learner.PrepareBaseAsync(new Quiet(), default);
            for (var step = 1; step <= 3; step++) await learner.TrainAsync(Rollouts.Batch(step, 4, 4, step), default);
            checkpoint = await learner.CheckpointAsync(default);
        }

        await using var resumed = Learner("b");
        await resumed.LoadAsync(checkpoint, default);
        var first = await resumed.TrainAsync(Rollouts.Batch(4, 4, 4, 4), default);
        Assert.Equal(checkpoint.Hash, first.Policy.ParentHash);
        Assert.Equal(expected, (await resumed.TrainAsync(Rollouts.Batch(5, 4, 4, 5), default)).Policy.Hash);
    }

    [Fact]
    public async Task Base_from_a_checkpoint_must_go_on_with_its_weights_and_moments_to_the_bit()
    {
        static GrpoSettings Steady(GrpoSettings settings) => settings with { Algorithm = settings.Algorithm with { LrWarmup = 0, Schedule = "constant" } };
        await using var parent = Learner("a", Steady);
        await parent.PrepareBaseAsync(new Quiet(), default);
        for (var step = 1; step <= 3; step++) await parent.TrainAsync(Rollouts.Batch(step, 4, 4, step), default);
        var checkpoint = await parent.CheckpointAsync(default);
        var next = await parent.TrainAsync(Rollouts.Batch(4, 4, 4, 9), default);
        var taken = Directory.CreateDirectory(Path.Combine(_root, "taken")).FullName;
        Assert.Equal(checkpoint.Hash, CheckpointFolder.Copy(Path.Combine(_root, "a", checkpoint.Location), taken));

        await using var fork = Learner("b", settings => Steady(settings) with { Base = taken });
        var (policy, saved) = await fork.PrepareBaseAsync(new Quiet(), default);
        Assert.Equal((0, "", checkpoint.Hash, checkpoint.Hash), (policy.Version, policy.ParentHash, policy.Hash, saved.Hash));
        Assert.Equal(TinyPolicy.HashOf(Path.Combine(taken, "optimizer.safetensors")), TinyPolicy.HashOf(Path.Combine(_root, "b", saved.Location, "optimizer.safetensors")));
        Assert.Equal(next.Policy.Hash, (await fork.TrainAsync(Rollouts.Batch(1, 4, 4, 9), default)).Policy.Hash);
    }

    [Theory]
    [InlineData("model.safetensors")]
    [InlineData("optimizer.safetensors")]
    [InlineData("manifest.json")]
    public async Task Base_from_a_damaged_checkpoint_must_be_refused_and_not_copied(string file)
    {
        await using var parent = Learner("a");
        var (_, checkpoint) = await parent.PrepareBaseAsync(new Quiet(), default);
        var folder = Path.Combine(_root, "a", checkpoint.Location);
        File.WriteAllBytes(Path.Combine(folder, file), File.ReadAllBytes(Path.Combine(folder, file))[..^3]);
        Assert.Throws<PolicyUnavailableException>(() => CheckpointFolder.Verify(folder));
        Assert.Throws<PolicyUnavailableException>(() => CheckpointFolder.Copy(folder, Directory.CreateDirectory(Path.Combine(_root, "copy")).FullName));
        Assert.Empty(Directory.EnumerateFileSystemEntries(Path.Combine(_root, "copy")));
        await using var fork = Learner("b", settings => settings with { Base = folder });
        var error = await Assert.ThrowsAsync<EngineFailedException>(() => fork.PrepareBaseAsync(new Quiet(), default));
        Assert.IsType<PolicyUnavailableException>(error.InnerException);
    }

    [Fact]
    public async Task Weights_must_not_depend_on_micro_batches_beyond_rounding()
    {
        var metrics = new List<double>();
        foreach (var budget in new[] { 8, 40, 100_000 })
        {
            await using var learner = Learner($"m{budget}", settings => settings with { Algorithm = settings.Algorithm with { MicroBatchTokens = budget } });
            await learner.PrepareBaseAsync(new Quiet(), default);
            await learner.TrainAsync(Rollouts.Batch(1, 4, 4, 1), default);
            metrics.Add((await learner.TrainAsync(Rollouts.Batch(2, 4, 4, 2), default)).Metrics["kl/behaviour"]);
        }

        Assert.All(metrics, value => Assert.Equal(metrics[0], value, 1e-5));
    }

    [Fact]
    public async Task Batch_that_is_not_next_must_be_refused_without_effect()
    {
        await using var learner = Learner("a");
        await Assert.ThrowsAsync<InvalidOperationException>(() => learner.TrainAsync(Rollouts.Batch(1, 4, 4, 1), default));
        await learner.PrepareBaseAsync(new Quiet(), default);
        var error = await Assert.ThrowsAsync<InvalidOperationException>(() => learner.TrainAsync(Rollouts.Batch(2, 4, 4, 1), default));
        Assert.Contains("step 2 does not follow step 0", error.Message);
        await Assert.ThrowsAsync<ArgumentException>(() => learner.TrainAsync(Rollouts.Batch(1, 4, 4, 1, (_, _) => double.NaN), default));
        await Assert.ThrowsAsync<ArgumentException>(() => learner.TrainAsync(Rollouts.Batch(1, 4, 4, 1, behaviour: double.NaN), default));
        var report = await learner.TrainAsync(Rollouts.Batch(1, 4, 4, 1), default);
        Assert.Equal(await RunAsync("b", 1), report.Policy.Hash);
    }

    [Fact]
    public async Task Gradient_that_is_not_finite_must_skip_the_step_and_leave_the_weights()
    {
        await using var learner = Learner("a");
        var (@base, _) = await learner.PrepareBaseAsync(new Quiet(), default);
        // Finite as a reward, beyond float32 as an advantage.
        var report = await learner.TrainAsync(Rollouts.Batch(1, 4, 4, 1, (_, i) => i * 1e40), default);
        Assert.True(report.Skipped);
        Assert.DoesNotContain("optim/grad_norm", report.Metrics.Keys);
        Assert.All(report.Metrics.Values, value => Assert.True(double.IsFinite(value)));
        Assert.Equal((1, @base.Hash, @base.Hash), (report.Policy.Version, report.Policy.Hash, report.Policy.ParentHash));
        Assert.True(File.Exists(Path.Combine(_root, "a", report.Policy.Location)));
        // Optimizer and weights are as if the step had not been.
        Assert.False((await learner.TrainAsync(Rollouts.Batch(2, 4, 4, 1), default)).Skipped);
    }

    [Fact]
    public async Task Batch_without_any_signal_or_without_any_group_must_still_be_a_step()
    {
        await using var learner = Learner("a");
        var (@base, _) = await learner.PrepareBaseAsync(new Quiet(), default);
        var flat = await learner.TrainAsync(Rollouts.Batch(1, 4, 4, 1, (_, _) => 1), default);
        Assert.Equal((0, 1, 64), (flat.Metrics["optim/grad_norm"], flat.Metrics["reward/frac_zero_std"], flat.Metrics["tokens/scored"]));
        Assert.Equal(@base.Hash, flat.Policy.Hash);
        var empty = await learner.TrainAsync(new LearnerBatch(1, 2, 4, []), default);
        Assert.Equal(0, empty.Metrics["tokens/trained"]);
        Assert.DoesNotContain("reward/mean", empty.Metrics.Keys);
    }

    [Fact]
    public async Task Several_updates_must_measure_ratios_before_the_first_and_train_further()
    {
        await using var once = Learner("a");
        await using var twice = Learner("b", settings => settings with { Algorithm = settings.Algorithm with { Updates = 2 } });
        await once.PrepareBaseAsync(new Quiet(), default);
        await twice.PrepareBaseAsync(new Quiet(), default);
        var (a, b) = (await once.TrainAsync(Rollouts.Batch(1, 4, 4, 1), default), await twice.TrainAsync(Rollouts.Batch(1, 4, 4, 1), default));
        Assert.Equal(a.Metrics["ratio/mean"], b.Metrics["ratio/mean"]);
        Assert.NotEqual(a.Policy.Hash, b.Policy.Hash);
    }

    [Fact]
    public async Task Subset_of_states_must_score_a_part_and_still_train()
    {
        await using var learner = Learner("a", settings => settings with { Algorithm = settings.Algorithm with { Likelihood = MethodSettings.Of("trajectory", ("step-subset", 1)) } });
        await learner.PrepareBaseAsync(new Quiet(), default);
        var report = await learner.TrainAsync(Rollouts.Batch(1, 4, 4, 1, (_, i) => i), default);
        Assert.Equal((32, 64), (report.Metrics["tokens/scored"], report.Metrics["tokens/trained"]));
    }

    [Fact]
    public async Task Cancelled_step_must_leave_an_engine_that_says_it_has_to_be_replaced()
    {
        await using var learner = Learner("a", exchange: new NeverExchange());
        await learner.PrepareBaseAsync(new Quiet(), default);
        using var cancel = new CancellationTokenSource(TimeSpan.FromMilliseconds(300));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => learner.TrainAsync(Rollouts.Batch(1, 4, 4, 1), cancel.Token));
        await Assert.ThrowsAsync<EngineFailedException>(() => learner.TrainAsync(Rollouts.Batch(1, 4, 4, 1), default));
    }

    [Fact]
    public async Task Learner_that_cannot_be_built_must_say_why_on_every_call()
    {
        var settings = Settings("a");
        await using var learner = new GrpoLearner(settings, new(new ModelSettings("/no/such/folder", new(16, 2, 2, 32)), Tokenizer, 1), _ => throw new NotSupportedException(), SharedGradients.Alone());
        var error = await Assert.ThrowsAsync<EngineFailedException>(() => learner.PrepareBaseAsync(new Quiet(), default));
        Assert.Contains("/no/such/folder", error.Message);
        await Assert.ThrowsAsync<EngineFailedException>(() => learner.CheckpointAsync(default));
    }

    [Fact]
    public void Settings_that_make_no_sense_must_be_refused_at_once()
    {
        void Refused(GrpoSettings settings) => Assert.Throws<ArgumentException>(() => new GrpoLearner(settings, Network(), _ => throw new NotSupportedException(), SharedGradients.Alone()));
        Refused(Settings("a") with { Temperature = 0 });
        Refused(Settings("a") with { Algorithm = Settings("a").Algorithm with { Schedule = "exponential" } });
        Refused(Settings("a") with { Algorithm = Settings("a").Algorithm with { Correction = MethodSettings.Of("ppo") } });
        Refused(Settings("a") with { Algorithm = Settings("a").Algorithm with { Shards = 0 } });
    }

    private async Task<string> RunAsync(string name, int steps)
    {
        await using var learner = Learner(name);
        await learner.PrepareBaseAsync(new Quiet(), default);
        var hash = "";
        for (var step = 1; step <= steps; step++) hash = (await learner.TrainAsync(Rollouts.Batch(step, 4, 4, step), default)).Policy.Hash;
        return hash;
    }

    private GrpoLearner Learner(string name, Func<GrpoSettings, GrpoSettings>? change = null, IGradientExchange? exchange = null) =>
        New((change ?? (settings => settings))(Settings(name)), exchange);

    private GrpoSettings Settings(string name) => TinySettings(Path.Combine(_root, name));

    internal static GrpoSettings TinySettings(string directory) => new(
        directory, "cpu", 5, Steps: 20, Temperature: 1, KeepCheckpoints: 2,
        new(
            MethodSettings.Of("trajectory", ("step-subset", 0)), RatioGranularity.Token, Methods.BehaviourClip, "group-mean", 1e-2, 2, "linear", .1, .9, .999, 1e-8, 0, 1, 1, 4, 60), new(0, 0, 0, 0));

    internal static PolicyNetwork Network() => new(new ModelSettings(null, new(16, 2, 2, 32)), Tokenizer, 5);

    internal static GrpoLearner New(GrpoSettings settings, IGradientExchange? exchange = null) =>
        new(settings, Network(), index => new SupervisedExample([(int)(index % 10)], [1, 2]), exchange ?? SharedGradients.Alone());

    internal sealed class Quiet : IProgress<WarmupProgress>
    {
        public List<int> Steps { get; } = [];

        public void Report(WarmupProgress value) => Steps.Add(value.Step);
    }

    /// <summary>Another rank has a shard and never gives it.</summary>
    private sealed class NeverExchange : IGradientExchange
    {
        public bool Shared => false;

        public IGradientRound Begin(GradientUpdate update)
        {
            var round = (GradientRound)SharedGradients.Alone().Begin(update);
            Assert.Equal(0, round.TryTake("gone"));
            return round;
        }
    }
}
