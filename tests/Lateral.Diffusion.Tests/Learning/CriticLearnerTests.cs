using Lateral.Core.Learning;
using Lateral.Core.Policies;
using Lateral.Diffusion;
using Lateral.Diffusion.Checkpoints;
using Lateral.Diffusion.Learning;

namespace Lateral.Tests.Diffusion;

/// <summary>A learner with a value model: it is trained, saved and resumed with the policy, and never published.</summary>
public sealed class CriticLearnerTests : IDisposable
{
    private const string Weights = "critic.safetensors", Optimizer = "critic-optimizer.safetensors";

    private readonly string _root = Directory.CreateTempSubdirectory().FullName;

    public void Dispose() => Directory.Delete(_root, recursive: true);

    [Fact]
    public async Task Checkpoint_must_hold_the_critic_and_the_policy_must_not()
    {
        await using var learner = Learner("a");
        var (policy, @base) = await learner.PrepareBaseAsync(new GrpoLearnerTests.Quiet(), default);
        var report = await learner.TrainAsync(Rollouts.Batch(1, 4, 4, 1), default);
        var checkpoint = await learner.CheckpointAsync(default);
        Assert.Equal(
            ["config.json", Optimizer, Weights, "manifest.json", "model.safetensors", "optimizer.safetensors", "state.json"],
            Directory.GetFiles(Path.Combine(_root, "a", checkpoint.Location)).Select(path => Path.GetFileName(path)).Order(StringComparer.Ordinal));
        Assert.NotEqual(Hash("a", @base, Weights), Hash("a", checkpoint, Weights));
        Assert.Equal(policy.Bytes, report.Policy.Bytes);
        using var published = SafetensorsFile.Open(Path.Combine(_root, "a", report.Policy.Location));
        using var without = SafetensorsFile.Open(Path.Combine(_root, "a", policy.Location));
        Assert.Equal(without.Tensors.Select(entry => (entry.Name, string.Join(',', entry.Shape))), published.Tensors.Select(entry => (entry.Name, string.Join(',', entry.Shape))));
        Assert.All(["value/mean", "value/loss", "value/explained_variance", "value/grad_norm"], name => Assert.Contains(name, report.Metrics.Keys));
    }

    /// <summary>The zero head's values are 0: the first step is that of the plain reward as every token's advantage.</summary>
    [Fact]
    public async Task First_step_must_be_reinforce_with_the_reward_itself()
    {
        static double Reward(int g, int i) => (i - 1.5) * (g % 2 == 0 ? 1 : -1);
        await using var critic = Learner("a");
        await using var mean = GrpoLearnerTests.New(GrpoLearnerTests.TinySettings(Path.Combine(_root, "b")));
        await critic.PrepareBaseAsync(new GrpoLearnerTests.Quiet(), default);
        await mean.PrepareBaseAsync(new GrpoLearnerTests.Quiet(), default);
        // Rewards whose group mean is exactly 0: there the group's advantage is the reward, too.
        var (a, b) = (await critic.TrainAsync(Rollouts.Batch(1, 4, 4, 1, Reward), default), await mean.TrainAsync(Rollouts.Batch(1, 4, 4, 1, Reward), default));
        Assert.Equal(b.Policy.Hash, a.Policy.Hash);
        var (c, d) = (await critic.TrainAsync(Rollouts.Batch(2, 4, 4, 2, Reward), default), await mean.TrainAsync(Rollouts.Batch(2, 4, 4, 2, Reward), default));
        Assert.NotEqual(d.Policy.Hash, c.Policy.Hash);
    }

    [Fact]
    public async Task Critic_must_learn_a_constant_reward_and_leave_no_advantage()
    {
        await using var learner = Learner("a");
        await learner.PrepareBaseAsync(new GrpoLearnerTests.Quiet(), default);
        StepReport? report = null;
        for (var step = 1; step <= 60; step++) report = await learner.TrainAsync(Rollouts.Batch(step, 4, 4, step, (_, _) => .75), default);
        Assert.Equal(.75, report!.Metrics["value/mean"], .05);
        Assert.InRange(report.Metrics["value/loss"], 0, .003);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public async Task Resumed_learner_must_end_bit_for_bit_like_an_uninterrupted_one(int updates)
    {
        GrpoSettings Several(GrpoSettings settings) => settings with { Algorithm = settings.Algorithm with { Updates = updates } };
        var decisions = new List<StepDecision?>();
        Checkpoint expected;
        await using (var learner = Learner("a", Several))
        {
            await learner.PrepareBaseAsync(new GrpoLearnerTests.Quiet(), default);
            for (var step = 1; step <= 5; step++) decisions.Add((await learner.TrainAsync(Rollouts.Batch(step, 4, 4, step), default)).Decision);
            expected = await learner.CheckpointAsync(default);
        }

        Checkpoint checkpoint;
        await using (var learner = Learner("b", Several))
        {
            await learner.PrepareBaseAsync(new GrpoLearnerTests.Quiet(), default);
            for (var step = 1; step <= 3; step++) await learner.TrainAsync(Rollouts.Batch(step, 4, 4, step), default);
            checkpoint = await learner.CheckpointAsync(default);
            // What was trained after the checkpoint is lost.
            await learner.TrainAsync(Rollouts.Batch(4, 4, 4, 4), default);
        }

        // The journal's steps after it are trained again as they were decided.
        await using var resumed = Learner("b", Several);
        await resumed.LoadAsync(checkpoint, default);
        for (var step = 4; step <= 5; step++) await resumed.TrainAsync(Rollouts.Batch(step, 4, 4, step) with { Decided = decisions[step - 1] }, default);
        var actual = await resumed.CheckpointAsync(default);
        Assert.Equal(expected.Hash, actual.Hash);
        Assert.All([Weights, Optimizer, "optimizer.safetensors"], file => Assert.Equal(Hash("a", expected, file), Hash("b", actual, file)));
    }

    [Fact]
    public async Task Roll_back_must_take_the_critic_back_too()
    {
        await using var learner = Learner("a", Steady);
        await learner.PrepareBaseAsync(new GrpoLearnerTests.Quiet(), default);
        await learner.TrainAsync(Rollouts.Batch(1, 4, 4, 1), default);
        var first = await learner.CheckpointAsync(default);
        var second = await learner.TrainAsync(Rollouts.Batch(2, 4, 4, 2), default);
        await learner.TrainAsync(Rollouts.Batch(3, 4, 4, 3), default);
        Assert.Equal(second.Policy.Hash, (await learner.TrainAsync(Rollouts.Batch(4, 4, 4, 2) with { From = first }, default)).Policy.Hash);
    }

    [Fact]
    public async Task Fork_must_go_on_with_its_parents_critic_or_begin_one()
    {
        await using var parent = Learner("a", Steady);
        await parent.PrepareBaseAsync(new GrpoLearnerTests.Quiet(), default);
        for (var step = 1; step <= 3; step++) await parent.TrainAsync(Rollouts.Batch(step, 4, 4, step), default);
        var checkpoint = await parent.CheckpointAsync(default);
        var next = await parent.TrainAsync(Rollouts.Batch(4, 4, 4, 9), default);
        var taken = Directory.CreateDirectory(Path.Combine(_root, "taken")).FullName;
        CheckpointFolder.Copy(Path.Combine(_root, "a", checkpoint.Location), taken);
        await using var fork = Learner("b", settings => Steady(settings) with { Base = taken });
        var (_, saved) = await fork.PrepareBaseAsync(new GrpoLearnerTests.Quiet(), default);
        Assert.Equal(Hash("a", checkpoint, Weights), Hash("b", saved, Weights));
        Assert.Equal(next.Policy.Hash, (await fork.TrainAsync(Rollouts.Batch(1, 4, 4, 9), default)).Policy.Hash);

        // A parent without one: its weights are what the critic begins with, and its values are 0.
        await using var other = GrpoLearnerTests.New(GrpoLearnerTests.TinySettings(Path.Combine(_root, "c")));
        var (_, plain) = await other.PrepareBaseAsync(new GrpoLearnerTests.Quiet(), default);
        await using var begun = Learner("d", settings => Steady(settings) with { Base = Path.Combine(_root, "c", plain.Location) });
        await begun.PrepareBaseAsync(new GrpoLearnerTests.Quiet(), default);
        Assert.Equal(0, (await begun.TrainAsync(Rollouts.Batch(1, 4, 4, 9), default)).Metrics["value/mean"]);
    }

    [Theory]
    [InlineData(Weights)]
    [InlineData(Optimizer)]
    public async Task Damaged_critic_must_be_refused(string file)
    {
        await using var learner = Learner("a");
        var (_, checkpoint) = await learner.PrepareBaseAsync(new GrpoLearnerTests.Quiet(), default);
        var path = Path.Combine(_root, "a", checkpoint.Location, file);
        var bytes = File.ReadAllBytes(path);
        bytes[^2] ^= 0x40;
        File.WriteAllBytes(path, bytes);
        Assert.Contains(file, (await Assert.ThrowsAsync<PolicyUnavailableException>(() => learner.LoadAsync(checkpoint, default))).Message, StringComparison.Ordinal);
        File.Delete(path);
        Assert.Contains(file, (await Assert.ThrowsAsync<PolicyUnavailableException>(() => learner.LoadAsync(checkpoint, default))).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Gradient_that_is_not_finite_must_leave_the_critic_as_it_was()
    {
        await using var learner = Learner("a");
        var (_, @base) = await learner.PrepareBaseAsync(new GrpoLearnerTests.Quiet(), default);
        Assert.True((await learner.TrainAsync(Rollouts.Batch(1, 4, 4, 1, (_, i) => i * 1e40), default)).Skipped);
        var checkpoint = await learner.CheckpointAsync(default);
        Assert.All([Weights, Optimizer], file => Assert.Equal(Hash("a", @base, file), Hash("a", checkpoint, file)));
        Assert.False((await learner.TrainAsync(Rollouts.Batch(2, 4, 4, 1), default)).Skipped);
        Assert.False((await learner.TrainAsync(new LearnerBatch(1, 3, 4, []), default)).Skipped);
    }

    [Fact]
    public void Several_ranks_must_be_refused_at_once()
    {
        var error = Assert.Throws<ArgumentException>(() => GrpoLearnerTests.New(Settings("a"), new SharedGradients(2, TimeSpan.FromSeconds(1), TimeProvider.System)));
        Assert.Contains("advantage = value-gae needs learner.ranks = 1", error.Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentException>(() => new GradientRank(Settings("a"), GrpoLearnerTests.Network()));
    }

    private static GrpoSettings Steady(GrpoSettings settings) => settings with { Algorithm = settings.Algorithm with { LrWarmup = 0, Schedule = "constant" } };

    private string Hash(string run, Checkpoint checkpoint, string file) => TinyPolicy.HashOf(Path.Combine(_root, run, checkpoint.Location, file));

    private GrpoLearner Learner(string name, Func<GrpoSettings, GrpoSettings>? change = null) => GrpoLearnerTests.New((change ?? (settings => settings))(Settings(name)));

    private GrpoSettings Settings(string name) => WithCritic(GrpoLearnerTests.TinySettings(Path.Combine(_root, name)));

    internal static GrpoSettings WithCritic(GrpoSettings settings) =>
        settings with { Algorithm = settings.Algorithm with { Advantage = Advantages.ValueModel, Critic = new(1, 1, 1e-2, .2) } };
}
