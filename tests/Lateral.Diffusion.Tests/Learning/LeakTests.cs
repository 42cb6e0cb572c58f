using Lateral.Core.Rollouts;
using Lateral.Diffusion.Models;
using Lateral.Diffusion.Objectives;
using Lateral.Diffusion.RewardModels;
using Lateral.Diffusion.Tensors;
using TorchSharp;

namespace Lateral.Tests.Diffusion;

/// <summary>Alone, because live tensors are counted for the whole process.</summary>
[CollectionDefinition(nameof(LeakTests), DisableParallelization = true)]
public sealed class LeakCollection;

[Collection(nameof(LeakTests))]
public class LeakTests
{
    private static readonly DigitTokenizer Tokenizer = new(withEnd: true);

    /// <summary>What earlier tests left to the garbage collector is gone before anything is counted.</summary>
    public LeakTests()
    {
        GC.Collect();
        GC.WaitForPendingFinalizers();
    }

    [Fact]
    public async Task Sampler_must_keep_no_tensor_over_two_thousand_steps()
    {
        using var policy = TinyPolicy.Fresh(Tokenizer);
        await using var sampler = await policy.StartAsync(Tokenizer, 8);
        var manifest = policy.Manifest with { Canary = policy.Canary() };
        var spec = new RolloutSpec(8, 4, 8, 1, "random", true);
        async Task<long> Live(int group)
        {
            for (var i = 0; i < 5; i++) sampler.Submit(TinyPolicy.Task(group + i, 16, [i, 2], spec));
            await TinyPolicy.CollectAsync(sampler, 80);
            await sampler.SwapAsync(manifest, policy.Path);
            return torch.Tensor.TotalCount;
        }

        var before = await Live(0);
        for (var group = 100; sampler.Statistics.Forwards < 2000; group += 100) Assert.Equal(before, await Live(group));
    }

    [Fact]
    public void Checkpointed_activations_must_be_gone_after_the_way_back_and_after_another_forward()
    {
        using var model = ModelStore.Fresh(TransformerSpec.OfSize("quickstart", 11, 10), 3);
        model.ActivationCheckpointing = true;
        void Forward(bool back)
        {
            using var scope = torch.NewDisposeScope();
            var hidden_BLD = model.Hidden(HostTensor.Of([1L, 2, 3, 10], 1, 4));
            if (back) model.Backward(hidden_BLD.sum());
            Gradients.Clear(model.Policy.Values);
        }

        Forward(back: true);
        var before = torch.Tensor.TotalCount;
        // Nobody goes back from these: the last one's inputs are kept, and no more.
        Forward(back: false);
        var kept = torch.Tensor.TotalCount;
        for (var i = 0; i < 5; i++) Forward(back: false);
        Assert.Equal(kept, torch.Tensor.TotalCount);
        Assert.True(kept > before);
        Forward(back: true);
        Assert.Equal(before, torch.Tensor.TotalCount);
    }

    [Fact]
    public async Task Reward_model_must_keep_no_tensor_over_hundreds_of_updates_and_forwards()
    {
        var folder = Directory.CreateTempSubdirectory().FullName;
        var pairs = TinyReward.Pairs(24);
        await using (var learner = await RewardLearner.FreshAsync(TinyReward.Spec, "cpu", TinyReward.Settings(200, tokens: 100), pairs))
        {
            long before = 0;
            while (learner.Step < 200)
            {
                await learner.UpdateAsync();
                await learner.MeasureAsync(pairs);
                if (learner.Step % 50 == 0) await learner.SaveProgressAsync(Path.Combine(folder, "training.safetensors"), "one");
                if (learner.Step == 5) before = torch.Tensor.TotalCount;
                if (learner.Step > 5) Assert.Equal(before, torch.Tensor.TotalCount);
            }

            await learner.SaveAsync(folder, RewardTrainingTests.Info);
        }

        var closed = torch.Tensor.TotalCount;
        await using (var scorer = await RewardScorer.OpenAsync(folder, "cpu", 8))
        {
            long before = 0;
            for (var round = 0; round < 100; round++)
            {
                await Task.WhenAll(pairs.Select(pair => scorer.ScoreAsync(pair.Chosen, default)));
                if (round == 0) before = torch.Tensor.TotalCount;
                Assert.Equal(before, torch.Tensor.TotalCount);
            }

            Assert.True(before > closed);
        }

        Assert.Equal(closed, torch.Tensor.TotalCount);
        Directory.Delete(folder, recursive: true);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Learner_must_keep_no_tensor_over_two_hundred_steps(bool critic)
    {
        var run = Directory.CreateTempSubdirectory().FullName;
        await using (var learner = GrpoLearnerTests.New(critic ? CriticLearnerTests.WithCritic(GrpoLearnerTests.TinySettings(run)) : GrpoLearnerTests.TinySettings(run)))
        {
            await learner.PrepareBaseAsync(new GrpoLearnerTests.Quiet(), default);
            long before = 0;
            for (var step = 1; step <= 200; step++)
            {
                await learner.TrainAsync(Rollouts.Batch(step, 4, 4, step), default);
                if (step % 50 == 0) await learner.CheckpointAsync(default);
                if (step == 5) before = torch.Tensor.TotalCount;
                if (step > 5) Assert.Equal(before, torch.Tensor.TotalCount);
            }
        }

        Directory.Delete(run, recursive: true);
    }
}
