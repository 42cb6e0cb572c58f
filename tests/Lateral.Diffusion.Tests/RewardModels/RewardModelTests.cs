using Lateral.Diffusion;
using Lateral.Diffusion.Models;
using Lateral.Diffusion.RewardModels;
using static TorchSharp.torch;

namespace Lateral.Tests.Diffusion;

public sealed class RewardModelTests
{
    private static readonly RewardText[] Texts = [TinyReward.Text("31415", "11345"), TinyReward.Text("2", "7"), TinyReward.Text("90210", "012", end: false), TinyReward.Text("", "123456789012345")];

    [Fact]
    public void Fresh_model_must_have_no_opinion()
    {
        using var model = RewardModelStore.Fresh(TinyReward.Spec, 3, CPU);
        Assert.All(model.Of(Texts, 1000), reward => Assert.Equal(0, reward));
    }

    [Fact]
    public void Reward_must_be_the_mean_of_the_heads_output_over_the_completion()
    {
        using var model = TinyReward.Model();
        using var scope = NewDisposeScope();
        using var quiet = no_grad();
        using var core = new TransformerModel(model.Spec, model.Parameters.ToDictionary(pair => pair.Key, pair => pair.Value.alias(), StringComparer.Ordinal), CPU);
        var rewards = model.Of(Texts, 1000);
        foreach (var (i, text) in Texts.Index())
        {
            long[] ids = [.. text.Prompt, .. text.Completion];
            var each = core.Hidden(tensor(ids).view(1, -1))[0].mv(model.Parameters[RewardModel.Head][0]).data<float>().ToArray();
            Assert.Equal(each[text.Prompt.Length..].Average(), rewards[i], 1e-5f);
            Assert.NotEqual(0, rewards[i]);
        }
    }

    [Fact]
    public void Padding_and_company_must_change_a_reward_by_rounding_only_and_none_must_leave_it_to_the_bit()
    {
        using var model = TinyReward.Model();
        var alone = Texts.Select(text => model.Of([text], 1000)[0]).ToArray();
        var together = model.Of(Texts, 1000);
        var pieces = model.Of([.. Texts.Reverse()], 20);
        Assert.All(Texts.Index(), text =>
        {
            Assert.Equal(alone[text.Index], together[text.Index], 2e-6f);
            Assert.Equal(alone[text.Index], pieces[^(text.Index + 1)], 2e-6f);
        });
        Assert.Equal(alone, model.Of(Texts, 1));
        // What is compared are different numbers.
        Assert.Equal(Texts.Length, alone.Select(reward => MathF.Round(reward, 4)).Distinct().Count());
    }

    [Fact]
    public void Reward_must_depend_on_the_prompt_the_order_of_the_completion_and_where_it_stops()
    {
        using var model = TinyReward.Model();
        var rewards = model.Of([TinyReward.Text("31415", "11345"), TinyReward.Text("31416", "11345"), TinyReward.Text("31415", "11354"), TinyReward.Text("31415", "11345", end: false)], 1000);
        Assert.All(rewards[1..], reward => Assert.True(MathF.Abs(reward - rewards[0]) > 1e-4, $"{reward} and {rewards[0]}"));
    }

    [Fact]
    public void Causal_model_must_read_the_last_token_too()
    {
        using var model = TinyReward.Model(spec: TinyReward.Spec with { Causal = true });
        var rewards = model.Of([TinyReward.Text("31", "11", end: false), TinyReward.Text("31", "12", end: false)], 1000);
        Assert.True(MathF.Abs(rewards[0] - rewards[1]) > 1e-4);
    }

    [Fact]
    public void Text_that_the_model_cannot_read_must_be_refused()
    {
        using var model = TinyReward.Model();
        Assert.Contains("a text has 25 tokens, the model reads 24", Assert.Throws<ArgumentException>(() => model.Of([TinyReward.Text("123456789", "123456789012345")], 1000)).Message, StringComparison.Ordinal);
        Assert.Contains("text 0 has no completion", Assert.Throws<ArgumentException>(() => model.Of([TinyReward.Text("1", "", end: false)], 1000)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Forward_without_memory_must_say_its_shape()
    {
        using var model = TinyReward.Model();
        var batch = RewardBatch.Pack(Texts, TinyReward.End);
        var error = Assert.Throws<DeviceMemoryException>(() => RewardMemory.Guarded<int>(batch, model, () => throw new InvalidOperationException("CUDA out of memory")));
        Assert.Contains("[4, 16] tokens (texts, length) does not fit the memory of cpu", error.Message, StringComparison.Ordinal);
        Assert.Equal(7, RewardMemory.Guarded(batch, model, () => 7));
    }

    [Fact]
    public void Cut_must_keep_to_the_budget_with_padding_and_lose_nothing()
    {
        int[] lengths = [9, 3, 30, 4, 3, 10];
        var cuts = RewardBatch.Cut(lengths, 20).ToList();
        Assert.Equal([[1, 4, 3], [0, 5], [2]], cuts);
        Assert.Equal([[1], [4], [3], [0], [5], [2]], RewardBatch.Cut(lengths, 1));
        Assert.Equal([[1, 4, 3, 0, 5, 2]], RewardBatch.Cut(lengths, int.MaxValue));
        Assert.Empty(RewardBatch.Cut([], 20));
    }
}
