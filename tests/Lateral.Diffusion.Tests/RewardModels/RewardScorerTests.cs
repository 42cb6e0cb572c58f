using Lateral.Diffusion.RewardModels;

namespace Lateral.Tests.Diffusion;

public sealed class RewardScorerTests : IDisposable
{
    private static readonly RewardText[] Texts = [.. TinyReward.Pairs(20).SelectMany(pair => new[] { pair.Chosen, pair.Rejected }), TinyReward.Text("", "123456789012345"), TinyReward.Text("3", "")];

    private readonly string _folder = Directory.CreateTempSubdirectory("lateral-reward-").FullName;
    private readonly float[] _alone;

    public RewardScorerTests()
    {
        using var model = TinyReward.Model();
        RewardModelStore.Save(model, _folder, RewardTrainingTests.Info);
        _alone = model.Of(Texts, 1);
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task Callers_must_be_answered_together_with_their_own_rewards()
    {
        await using var scorer = await RewardScorer.OpenAsync(_folder, "cpu", batch: 8);
        for (var round = 0; round < 20; round++)
        {
            var rewards = await Task.WhenAll(Texts.Select(text => Task.Run(() => scorer.ScoreAsync(text, default))));
            Assert.All(rewards.Zip(_alone), pair => Assert.Equal(pair.Second, pair.First, 2e-6));
        }

        Assert.InRange(scorer.Forwards, 20 * Texts.Length / 8, 20 * Texts.Length);
    }

    [Fact]
    public async Task Batch_of_one_must_leave_a_reward_to_its_text_to_the_bit()
    {
        await using var scorer = await RewardScorer.OpenAsync(_folder, "cpu", batch: 1);
        var rewards = await Task.WhenAll(Texts.Select(text => Task.Run(() => scorer.ScoreAsync(text, default))));
        Assert.Equal(_alone, rewards.Select(reward => (float)reward));
        Assert.Equal(Texts.Length, scorer.Forwards);
    }

    [Fact]
    public async Task Caller_that_gave_up_must_cost_no_forward_and_leave_the_others_theirs()
    {
        await using var scorer = await RewardScorer.OpenAsync(_folder, "cpu", batch: 8);
        using var cancelled = new CancellationTokenSource();
        await cancelled.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => scorer.ScoreAsync(Texts[0], cancelled.Token));
        Assert.Equal(_alone[1], await scorer.ScoreAsync(Texts[1], default), 2e-6);
        Assert.Equal(1, scorer.Forwards);
    }

    [Fact]
    public async Task Text_that_cannot_be_read_must_be_refused_before_it_waits()
    {
        await using var scorer = await RewardScorer.OpenAsync(_folder, "cpu", batch: 8);
        Assert.Equal(24, scorer.MaxLength);
        await Assert.ThrowsAsync<ArgumentException>(() => scorer.ScoreAsync(TinyReward.Text("123456789", "123456789012345"), default));
        await Assert.ThrowsAsync<ArgumentException>(() => scorer.ScoreAsync(TinyReward.Text("1", "", end: false), default));
        Assert.Equal(0, scorer.Forwards);
    }

    [Fact]
    public async Task Scorer_that_was_stopped_must_refuse()
    {
        var scorer = await RewardScorer.OpenAsync(_folder, "cpu", batch: 8);
        await scorer.DisposeAsync();
        await Assert.ThrowsAsync<ObjectDisposedException>(() => scorer.ScoreAsync(Texts[0], default));
    }
}
