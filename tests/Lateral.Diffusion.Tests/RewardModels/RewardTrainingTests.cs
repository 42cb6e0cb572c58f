using Lateral.Diffusion.Models;
using Lateral.Diffusion.Objectives;
using Lateral.Diffusion.RewardModels;
using static TorchSharp.torch;

namespace Lateral.Tests.Diffusion;

public sealed class RewardTrainingTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("lateral-reward-");

    private string SavedAt => Path.Combine(_folder.FullName, "training.safetensors");

    public void Dispose() => _folder.Delete(recursive: true);

    [Theory]
    [InlineData(0, 0)]
    [InlineData(.7, .05)]
    public void Gradient_must_be_that_of_the_mean_loss_by_finite_differences(double margin, double centre)
    {
        using var model = TinyReward.Model();
        PreferencePair[] pairs = [.. TinyReward.Pairs(3).Select(pair => pair with { Margin = margin }), new(TinyReward.Text("12", "1"), TinyReward.Text("12", "2221"))];
        using var training = new RewardTraining(model, TinyReward.Settings(tokens: 30) with { Centre = centre }, pairs);
        var (loss, _) = training.Accumulate(pairs);
        Assert.Equal(Loss(), loss, 1e-5);
        foreach (var (name, parameter) in model.Parameters)
        {
            var gradient = parameter.grad!.data<float>().ToArray();
            var largest = Array.FindIndex(gradient, value => Math.Abs(value) == gradient.Max(MathF.Abs));
            const float Step = 4e-3f;
            var slope = (Shifted(parameter, largest, Step) - Shifted(parameter, largest, -Step)) / (2 * Step);
            Assert.True(Math.Abs(slope) > 1e-4, $"{name}: a gradient of zero would prove nothing");
            Assert.Equal(slope, gradient[largest], .02 * Math.Abs(slope) + 2e-5);
        }

        double Loss()
        {
            float[] chosen = model.Of([.. pairs.Select(pair => pair.Chosen)], 1000), rejected = model.Of([.. pairs.Select(pair => pair.Rejected)], 1000);
            return PreferenceFit.Of(chosen, rejected, [.. pairs.Select(pair => pair.Margin)]).Loss + (centre * chosen.Zip(rejected, (c, r) => Math.Pow((double)c + r, 2)).Average());
        }

        double Shifted(Tensor parameter, int index, float change)
        {
            using var scope = NewDisposeScope();
            using var quiet = no_grad();
            var number = parameter.view(-1).narrow(0, index, 1);
            var before = number.clone();
            number.add_(change);
            var value = Loss();
            number.copy_(before);
            return value;
        }
    }

    [Fact]
    public void Gradient_must_not_depend_on_micro_batches_and_activations_computed_again_beyond_rounding()
    {
        var pairs = TinyReward.Pairs(9);
        float[] Of(int tokens, bool checkpointing = false)
        {
            using var model = TinyReward.Model();
            using var training = new RewardTraining(model, TinyReward.Settings(tokens: tokens) with { ActivationCheckpointing = checkpointing }, pairs);
            training.Accumulate(pairs);
            return [.. model.Parameters.SelectMany(pair => pair.Value.grad!.data<float>().ToArray())];
        }

        var whole = Of(100_000);
        var scale = whole.Max(MathF.Abs);
        Assert.True(scale > 1e-3);
        foreach (var other in new[] { Of(7), Of(100_000, checkpointing: true), Of(7, checkpointing: true) }) Assert.Equal(0, whole.Zip(other, (a, b) => Math.Abs(a - b) / scale).Max(), 1e-5);
    }

    [Fact]
    public async Task Training_must_learn_which_order_is_preferred_and_rewards_of_unseen_pairs_follow()
    {
        var unseen = TinyReward.Pairs(64, seed: 9);
        await using var learner = await RewardLearner.FreshAsync(TinyReward.Spec, "cpu", TinyReward.Settings(), TinyReward.Pairs(128));
        var before = await learner.MeasureAsync(unseen);
        Assert.Equal(.5, before.Accuracy);
        Assert.Equal(Math.Log(2), before.Loss, 1e-6);
        while (learner.Step < 60) await learner.UpdateAsync();
        var after = await learner.MeasureAsync(unseen);
        // Of prompts whose digits are all alike nothing can be said.
        Assert.True(after.Accuracy > .95, $"{after}");
        Assert.True(after.Loss < .2, $"{after}");
    }

    [Fact]
    public async Task Interrupted_training_must_end_with_the_weights_of_one_that_was_not_and_of_every_repetition()
    {
        var pairs = TinyReward.Pairs(40);
        async Task<string> Trained(int stopAt)
        {
            for (var begun = false; ; begun = true)
            {
                await using var learner = await RewardLearner.FreshAsync(TinyReward.Spec, "cpu", TinyReward.Settings(12), pairs);
                if (begun) await learner.RestoreAsync(SavedAt, "same");
                Assert.Equal(begun ? stopAt : 0, learner.Step);
                while (learner.Step < (begun ? 12 : stopAt)) await learner.UpdateAsync();
                if (!begun && stopAt < 12)
                {
                    await learner.SaveProgressAsync(SavedAt, "same");
                    continue;
                }

                var folder = _folder.CreateSubdirectory(Guid.NewGuid().ToString("N")).FullName;
                await learner.SaveAsync(folder, Info);
                return RewardModelInfo.Read(folder).WeightsSha256;
            }
        }

        var whole = await Trained(12);
        Assert.Equal(whole, await Trained(12));
        Assert.Equal(whole, await Trained(1));
        Assert.Equal(whole, await Trained(7));
    }

    [Fact]
    public async Task Training_of_other_data_must_be_refused()
    {
        await using var learner = await RewardLearner.FreshAsync(TinyReward.Spec, "cpu", TinyReward.Settings(), TinyReward.Pairs(4));
        await learner.SaveProgressAsync(SavedAt, "one");
        var error = await Assert.ThrowsAsync<RewardTrainingException>(() => learner.RestoreAsync(SavedAt, "two"));
        Assert.Contains("is of a training with other data, settings or another base", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Training_that_diverges_must_stop_and_say_what_to_lower()
    {
        await using var learner = await RewardLearner.FreshAsync(TinyReward.Spec, "cpu", TinyReward.Settings(lr: 1e30) with { LearningRate = new(1e30, 0, 60, Decay.Constant, 1) }, TinyReward.Pairs(8));
        var error = await Assert.ThrowsAsync<RewardTrainingException>(async () =>
        {
            while (learner.Step < 60) await learner.UpdateAsync();
        });
        Assert.Contains("write a smaller learning rate than 1E+30", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Order_must_show_every_pair_once_before_any_twice_and_another_order_each_time()
    {
        var order = new PairOrder(10, 4, 7);
        int[] shown = [.. Enumerable.Range(0, 5).SelectMany(order.At)];
        Assert.Equal(Enumerable.Range(0, 10), shown[..10].Order());
        Assert.Equal(Enumerable.Range(0, 10), shown[10..].Order());
        Assert.NotEqual(shown[..10], shown[10..]);
        Assert.Equal(shown[8..12], new PairOrder(10, 4, 7).At(2));
        Assert.NotEqual(shown[..4], new PairOrder(10, 4, 8).At(0));
    }

    internal static RewardModelInfo Info { get; } = new(null, "d", 4, null, .5, 2, 12, 5, "");
}
