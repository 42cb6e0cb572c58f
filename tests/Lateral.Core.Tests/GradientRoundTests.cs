using Lateral.Core.Learning;
using Microsoft.Extensions.Time.Testing;

namespace Lateral.Tests.Core;

/// <summary>Shards in any order, from any rank, at most once each: the sum is that of shard order.</summary>
public sealed class GradientRoundTests
{
    private const int Shards = 4, Length = 19;
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(30);

    private readonly FakeTimeProvider _time = new();
    private readonly SharedGradients _shared;

    public GradientRoundTests() => _shared = new(3, Deadline, _time);

    [Theory]
    [InlineData(0, 1, 2, 3)]
    [InlineData(3, 2, 1, 0)]
    [InlineData(2, 0, 3, 1)]
    public async Task Sum_must_be_that_of_shard_order_to_the_bit_however_they_come(params int[] order)
    {
        var round = Begin();
        foreach (var shard in order) Assert.True(round.TryContribute(shard, Gradient(shard), Report(shard)));
        Assert.Null(await round.NextAsync(default));
        var sum = new float[Length];
        var reports = ((IGradientRound)round).Total(sum);
        var expected = Gradient(0);
        for (var shard = 1; shard < Shards; shard++)
            for (var i = 0; i < Length; i++) expected[i] += Gradient(shard)[i];
        Assert.Equal(expected, sum);
        Assert.Equal([0, 1, 2, 3], reports.Select(report => report.Tokens));
        // Magnitudes are such that another order is another sum.
        Assert.NotEqual(expected, Enumerable.Range(0, Length).Select(i => Gradient(3)[i] + Gradient(2)[i] + Gradient(1)[i] + Gradient(0)[i]));
    }

    [Fact]
    public async Task Every_shard_must_be_handed_out_once_and_the_learner_wait_for_those_of_others()
    {
        var round = Begin();
        Assert.Equal((0, 1), (await round.NextAsync(default), round.TryTake("a")));
        Assert.Equal((2, 3), (round.TryTake("b"), await round.NextAsync(default)));
        Assert.Null(round.TryTake("a"));
        var waiting = round.NextAsync(default);
        foreach (var shard in new[] { 0, 3 }) round.Contribute(shard, Gradient(shard), Report(shard));
        Assert.False(waiting.IsCompleted);
        foreach (var shard in new[] { 2, 1 }) round.TryContribute(shard, Gradient(shard), Report(shard));
        Assert.Null(await waiting.WaitAsync(Deadline));
        Assert.Equal(3, round.Ranks);
    }

    [Fact]
    public async Task Shard_of_a_rank_that_is_gone_must_be_open_again()
    {
        var round = Begin();
        Assert.Equal(0, round.TryTake("a"));
        for (var shard = 1; shard < Shards; shard++) Assert.Equal(shard, await Compute(round));
        var waiting = round.NextAsync(default);
        Assert.False(round.Release("b"));
        Assert.True(round.Release("a"));
        Assert.Equal(0, await waiting.WaitAsync(Deadline));
    }

    [Fact]
    public async Task Shard_that_is_overdue_must_be_taken_by_somebody_else_and_the_first_result_count()
    {
        var round = Begin();
        Assert.Equal(0, round.TryTake("slow"));
        for (var shard = 1; shard < Shards; shard++) await Compute(round);
        var waiting = round.NextAsync(default);
        _time.Advance(Deadline / 2);
        Assert.False(waiting.IsCompleted);
        _time.Advance(Deadline);
        Assert.Equal(0, await waiting.WaitAsync(Deadline));
        Assert.True(round.TryContribute(0, Gradient(0), Report(7)));
        round.Contribute(0, Gradient(1), Report(8));
        Assert.Null(await round.NextAsync(default));
        Assert.Equal(7, ((IGradientRound)round).Total(new float[Length])[0].Tokens);
    }

    [Fact]
    public async Task Round_must_be_over_when_the_next_is_begun()
    {
        var round = Begin();
        Assert.Equal(0, round.TryTake("a"));
        for (var shard = 1; shard < Shards; shard++) await Compute(round);
        var waiting = round.NextAsync(default);
        var next = Begin(step: 2);
        await Assert.ThrowsAsync<InvalidOperationException>(() => waiting.WaitAsync(Deadline));
        Assert.False(round.TryContribute(0, Gradient(0), Report(0)));
        Assert.Null(round.TryTake("a"));
        Assert.False(await _shared.SendAsync(round.Update.Key, 0, Gradient(0), Report(0), default));
        Assert.True(await _shared.SendAsync(next.Update.Key, 0, Gradient(0), Report(0), default));
    }

    [Fact]
    public void What_is_no_gradient_of_the_update_must_be_refused()
    {
        var round = Begin();
        Assert.Throws<ArgumentException>(() => round.TryContribute(4, Gradient(0), Report(0)));
        Assert.Throws<ArgumentException>(() => round.TryContribute(-1, Gradient(0), Report(0)));
        var error = Assert.Throws<ArgumentException>(() => round.TryContribute(0, new float[Length + 1], Report(0)));
        Assert.Contains("a gradient of 20 numbers is not one of this model, which has 19", error.Message, StringComparison.Ordinal);
        Assert.Throws<InvalidOperationException>(() => ((IGradientRound)round).Total(new float[Length]));
    }

    private static async Task<int?> Compute(GradientRound round)
    {
        var shard = await round.NextAsync(default);
        round.Contribute(shard!.Value, Gradient(shard.Value), Report(shard.Value));
        return shard;
    }

    private static float[] Gradient(int shard) => [.. Enumerable.Range(0, Length).Select(i => (float)(Math.Pow(7, shard) / (i + 3)))];

    private static ShardReport Report(int tokens) => new(tokens, []);

    private GradientRound Begin(int step = 1) => (GradientRound)_shared.Begin(new(new LearnerBatch(1, step, 4, []), 0, Shards, Length, null, null));
}
