using Lateral.Core.Learning;
using Lateral.Diffusion;
using Lateral.Diffusion.Learning;

namespace Lateral.Tests.Diffusion;

/// <summary>A batch trained by several ranks: whoever computes which shard, the weights are those of one rank, to the bit.</summary>
public sealed class GradientRankTests : IDisposable
{
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(30);

    private readonly string _root = Directory.CreateTempSubdirectory().FullName;

    public void Dispose() => Directory.Delete(_root, recursive: true);

    [Theory]
    [InlineData(2, 1)]
    [InlineData(4, 1)]
    [InlineData(2, 2)]
    public async Task Weights_and_metrics_must_not_depend_on_the_number_of_ranks_to_the_bit(int ranks, int updates)
    {
        var expected = await RunAsync("alone", updates, SharedGradients.Alone());
        var shared = new SharedGradients(ranks, Deadline, TimeProvider.System);
        await using var others = new Others(this, shared, ranks - 1, updates);
        var reports = await RunAsync("shared", updates, shared);
        Assert.Equal(expected.Select(report => report.Policy.Hash), reports.Select(report => report.Policy.Hash));
        Assert.All(reports, report => Assert.Equal(ranks, report.Metrics["learner/ranks"]));
        foreach (var key in new[] { "ratio/ess", "kl/behaviour", "optim/loss", "optim/grad_norm", "tokens/scored" })
            Assert.Equal(expected[^1].Metrics[key], reports[^1].Metrics[key]);
        Assert.NotEqual(reports[0].Policy.Hash, reports[1].Policy.Hash);
        // What was laid for the ranks in the middle of steps is gone with them.
        Assert.DoesNotContain(Directory.EnumerateFiles(Path.Combine(_root, "shared", "policies")), path => path.Contains("working", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Rank_that_is_lost_with_a_shard_must_cost_nothing_but_time()
    {
        var expected = await RunAsync("alone", 1, SharedGradients.Alone());
        // Takes the first shard of every round and never gives it.
        var shared = new SharedGradients(2, TimeSpan.FromMilliseconds(50), TimeProvider.System);
        shared.Begun = _ => Assert.Equal(0, shared.Current!.TryTake("lost"));
        var reports = await RunAsync("shared", 1, shared);
        Assert.Equal(expected[^1].Policy.Hash, reports[^1].Policy.Hash);
    }

    [Fact]
    public async Task Rank_must_refuse_to_compute_under_other_weights_than_the_updates()
    {
        await using var rank = new GradientRank(Settings("a", 1), GrpoLearnerTests.Network());
        var update = new GradientUpdate(Rollouts.Batch(1, 4, 4, 1), 0, 4, 1, new(0, 0, new string('a', 64), "", default, 1, "policies/v0.safetensors"), null);
        var error = await Assert.ThrowsAsync<InvalidOperationException>(() => rank.ComputeAsync(update, 0, default));
        Assert.Contains("and '' is loaded", error.Message, StringComparison.Ordinal);
    }

    private async Task<List<StepReport>> RunAsync(string name, int updates, SharedGradients exchange)
    {
        await using var learner = GrpoLearnerTests.New(Settings(name, updates), exchange);
        await learner.PrepareBaseAsync(new GrpoLearnerTests.Quiet(), default);
        var reports = new List<StepReport>();
        for (var step = 1; step <= 2; step++) reports.Add(await learner.TrainAsync(Rollouts.Batch(step, 4, 4, step), default));
        // What a restart does: the weights of a checkpoint were published, but not by this engine.
        var checkpoint = await learner.CheckpointAsync(default);
        await learner.LoadAsync(checkpoint, default);
        reports.Add(await learner.TrainAsync(Rollouts.Batch(3, 4, 4, 3), default));
        return reports;
    }

    private GrpoSettings Settings(string name, int updates)
    {
        var settings = GrpoLearnerTests.TinySettings(Path.Combine(_root, name));
        return settings with { Algorithm = settings.Algorithm with { Updates = updates } };
    }

    /// <summary>Ranks that take a shard before the learner does, and more as long as there are some.</summary>
    private sealed class Others : IAsyncDisposable
    {
        private readonly List<GradientRank> _ranks = [];

        public Others(GradientRankTests test, SharedGradients shared, int count, int updates)
        {
            for (var i = 0; i < count; i++) _ranks.Add(new GradientRank(test.Settings($"rank{i}", updates), GrpoLearnerTests.Network()));
            shared.Begun = update =>
            {
                foreach (var (name, rank) in _ranks.Index()) _ = WorkAsync(test, shared, update, rank, $"r{name}", shared.Current!.TryTake($"r{name}"));
            };
        }

        public async ValueTask DisposeAsync()
        {
            foreach (var rank in _ranks) await rank.DisposeAsync();
        }

        private static async Task WorkAsync(GradientRankTests test, SharedGradients shared, GradientUpdate update, GradientRank rank, string name, int? shard)
        {
            while (shard is { } taken)
            {
                await rank.LoadAsync(update.Weights!, Path.Combine(test._root, "shared", update.Weights!.Location), default);
                var (gradient, report) = await rank.ComputeAsync(update, taken, default);
                Assert.True(await shared.SendAsync(update.Key, taken, gradient, report, default));
                shard = shared.Current!.TryTake(name);
            }
        }
    }
}
