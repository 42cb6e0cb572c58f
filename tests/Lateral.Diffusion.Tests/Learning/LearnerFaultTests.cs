using System.Collections.Immutable;
using System.Runtime.InteropServices;
using Lateral.Core.Learning;
using Lateral.Core.Policies;
using Lateral.Diffusion;
using Lateral.Diffusion.Learning;

namespace Lateral.Tests.Diffusion;

/// <summary>Faults of a step, injected, and replays of steps that met one: what was decided then is done again, never decided again.</summary>
public sealed class LearnerFaultTests : IDisposable
{
    private readonly string _root = Directory.CreateTempSubdirectory().FullName;

    public void Dispose() => Directory.Delete(_root, recursive: true);

    [Fact]
    public async Task Replay_must_skip_what_was_skipped_although_its_gradient_is_finite_now()
    {
        await using var learner = Learner("a");
        var (@base, _) = await learner.PrepareBaseAsync(new GrpoLearnerTests.Quiet(), default);
        var report = await learner.TrainAsync(Rollouts.Batch(1, 4, 4, 1) with { Decided = StepDecision.SkippedWhole }, default);
        Assert.Equal((true, @base.Hash), (report.Skipped, report.Policy.Hash));
        Assert.Equal(0, report.Decision!.Updates);
        // The same batch decides to be trained where nothing is journaled.
        await using var free = Learner("b");
        await free.PrepareBaseAsync(new GrpoLearnerTests.Quiet(), default);
        Assert.NotEqual(@base.Hash, (await free.TrainAsync(Rollouts.Batch(1, 4, 4, 1), default)).Policy.Hash);
    }

    [Fact]
    public async Task Replay_must_refuse_to_skip_what_was_applied()
    {
        await using var learner = Learner("a");
        await learner.PrepareBaseAsync(new GrpoLearnerTests.Quiet(), default);
        var poisoned = Rollouts.Batch(1, 4, 4, 1, (_, i) => i * 1e40) with { Decided = new StepDecision(1, []) };
        var error = await Assert.ThrowsAsync<EngineFailedException>(() => learner.TrainAsync(poisoned, default));
        Assert.Contains("the journal says that update 0 of step 1 was applied", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Roll_back_must_train_the_step_from_the_checkpoints_weights_and_moments()
    {
        await using var learner = Learner("a");
        await learner.PrepareBaseAsync(new GrpoLearnerTests.Quiet(), default);
        await learner.TrainAsync(Rollouts.Batch(1, 4, 4, 1), default);
        var checkpoint = await learner.CheckpointAsync(default);
        var straight = await learner.TrainAsync(Rollouts.Batch(2, 4, 4, 9), default);
        await learner.TrainAsync(Rollouts.Batch(3, 4, 4, 3), default);
        var again = await learner.TrainAsync(Rollouts.Batch(4, 4, 4, 9) with { From = checkpoint }, default);
        Assert.Equal((4, 4, checkpoint.Hash, 1), (again.Step, again.Policy.Version, again.Policy.ParentHash, again.Metrics["optim/rolled_back_to"]));
        // The rate is constant, so the same batch on the same state gives the same weights under another number.
        Assert.Equal(straight.Policy.Hash, again.Policy.Hash);
        Assert.Equal(5, (await learner.TrainAsync(Rollouts.Batch(5, 4, 4, 5), default)).Step);
    }

    [Fact]
    public async Task Shard_that_does_not_fit_must_be_computed_in_halves_and_a_replay_must_cut_it_the_same()
    {
        var memory = new ShortMemory(failures: 1, from: 2);
        await using var learner = Learner("a", exchange: memory);
        await learner.PrepareBaseAsync(new GrpoLearnerTests.Quiet(), default);
        var report = await learner.TrainAsync(Rollouts.Batch(1, 4, 4, 1), default);
        Assert.Equal<MicroBatchSpan>([new MicroBatchSpan(0, 60), new MicroBatchSpan(2, 30)], report.Decision!.MicroBatches);
        Assert.Equal((30, 1), (report.Metrics["optim/micro_batch_tokens"], memory.Thrown));
        var next = await learner.TrainAsync(Rollouts.Batch(2, 4, 4, 2), default);
        Assert.Equal<MicroBatchSpan>([new MicroBatchSpan(0, 30)], next.Decision!.MicroBatches);

        await using var healthy = Learner("b");
        await healthy.PrepareBaseAsync(new GrpoLearnerTests.Quiet(), default);
        var replayed = await healthy.TrainAsync(Rollouts.Batch(1, 4, 4, 1) with { Decided = report.Decision }, default);
        Assert.Equal(report.Policy.Hash, replayed.Policy.Hash);
        Assert.Equal(report.Metrics["tokens/scored"], replayed.Metrics["tokens/scored"]);
        Assert.Equal(next.Policy.Hash, (await healthy.TrainAsync(Rollouts.Batch(2, 4, 4, 2) with { Decided = next.Decision }, default)).Policy.Hash);
        // What was decided for those steps is not the setting.
        Assert.Equal<MicroBatchSpan>([new MicroBatchSpan(0, 60)], (await healthy.TrainAsync(Rollouts.Batch(3, 4, 4, 3), default)).Decision!.MicroBatches);
    }

    [Fact]
    public async Task Halves_that_do_not_fit_either_must_fail_with_the_shape_and_the_setting()
    {
        await using var learner = Learner("a", exchange: new ShortMemory(failures: 2, from: 0));
        await learner.PrepareBaseAsync(new GrpoLearnerTests.Quiet(), default);
        var error = await Assert.ThrowsAsync<EngineFailedException>(() => learner.TrainAsync(Rollouts.Batch(1, 4, 4, 1), default));
        Assert.IsType<DeviceMemoryException>(error.InnerException);
        // Prompts of one to three tokens and four generated ones; 30 tokens hold at most 6 canvases of 5.
        Assert.Matches(@"step 1 does not fit the memory of cpu: its largest forward is of \[[3-6], [5-7]\] tokens \(canvases, length\), in micro-batches of at most 30 tokens - set learner\.micro-batch-tokens", error.Message);
    }

    [Fact]
    public async Task Checkpoint_that_was_gone_back_to_must_outlive_the_damaged_one_that_is_newer()
    {
        Checkpoint second, fourth;
        await using (var learner = Learner("a"))
        {
            await learner.PrepareBaseAsync(new GrpoLearnerTests.Quiet(), default);
            for (var step = 1; step <= 2; step++) await learner.TrainAsync(Rollouts.Batch(step, 4, 4, step), default);
            second = await learner.CheckpointAsync(default);
            for (var step = 3; step <= 4; step++) await learner.TrainAsync(Rollouts.Batch(step, 4, 4, step), default);
            fourth = await learner.CheckpointAsync(default);
        }

        var file = Path.Combine(_root, "a", fourth.Location, "model.safetensors");
        var bytes = File.ReadAllBytes(file);
        bytes[^5] ^= 1;
        File.WriteAllBytes(file, bytes);
        await using var again = Learner("a");
        var error = await Assert.ThrowsAsync<PolicyUnavailableException>(() => again.LoadAsync(fourth, default));
        Assert.Contains("model.safetensors has hash", error.Message, StringComparison.Ordinal);
        await again.LoadAsync(second, default);
        for (var step = 3; step <= 6; step++) await again.TrainAsync(Rollouts.Batch(step, 4, 4, step), default);
        await again.CheckpointAsync(default);
        // Two are kept, and the damaged one is not one of them.
        Assert.Equal(second.Hash, CheckpointFolder.Verify(Path.Combine(_root, "a", second.Location)));
    }

    private GrpoLearner Learner(string name, IGradientExchange? exchange = null)
    {
        var settings = GrpoLearnerTests.TinySettings(Path.Combine(_root, name));
        return GrpoLearnerTests.New(settings with { Algorithm = settings.Algorithm with { LrWarmup = 0, Schedule = "constant" } }, exchange);
    }

    /// <summary>Has no room for some shards, as a device would say it.</summary>
    private sealed class ShortMemory(int failures, int from) : IGradientExchange
    {
        private readonly SharedGradients _inner = SharedGradients.Alone();

        public int Failures => failures;

        public int From => from;

        public int Thrown { get; private set; }

        public bool Shared => false;

        public IGradientRound Begin(GradientUpdate update) => new Round(this, _inner.Begin(update));

        private sealed class Round(ShortMemory memory, IGradientRound inner) : IGradientRound
        {
            public int Ranks => inner.Ranks;

            public Task<int?> NextAsync(CancellationToken cancellation) => inner.NextAsync(cancellation);

            public void Contribute(int shard, ReadOnlySpan<float> gradient, ShardReport report)
            {
                if (shard >= memory.From && memory.Thrown < memory.Failures)
                {
                    memory.Thrown++;
                    throw new ExternalException("CUDA out of memory. Tried to allocate 2.00 GiB. GPU 0 has a total capacity of 23.65 GiB");
                }

                inner.Contribute(shard, gradient, report);
            }

            public ImmutableArray<ShardReport> Total(Span<float> sum) => inner.Total(sum);
        }
    }
}
