using Lateral.Core.Rewards;

namespace Lateral.Rewards.Tests.Judging;

public sealed class JudgeBudgetTests
{
    [Fact]
    public async Task Requests_must_never_exceed_their_limit_however_many_ask()
    {
        await using var server = new JudgeServer(Behave.Score(5));
        using var judge = Judges.Of(server.Url, ("max-requests", "7"));
        var outcomes = await Task.WhenAll(Enumerable.Range(0, 40).Select(i => judge.ScoreAsync(Judges.Request($"answer {i}"), CancellationToken.None).AsTask())).WaitAsync(Judges.Patience);
        Assert.Equal(7, outcomes.OfType<RewardOutcome.Scored>().Count());
        Assert.Equal(7, server.Questions.Count);
        Assert.All(outcomes.OfType<RewardOutcome.InfraFault>(), fault => Assert.StartsWith("judge: the budget of this process is used up: max-requests = 7 - resume the run with a higher one (0 = no limit)", fault.Kind, StringComparison.Ordinal));
    }

    [Fact]
    public async Task Attempts_must_count_one_by_one()
    {
        await using var server = new JudgeServer(Behave.Status(500, "no"));
        using var judge = Judges.Of(server.Url, ("max-requests", "2"), ("retries", "5"));
        Assert.Contains("max-requests = 2", await judge.FaultAsync(), StringComparison.Ordinal);
        Assert.Equal(2, server.Questions.Count);
    }

    [Fact]
    public async Task What_is_known_must_cost_nothing()
    {
        await using var server = new JudgeServer(Behave.Score(5));
        using var judge = Judges.Of(server.Url, ("max-requests", "1"));
        for (var i = 0; i < 5; i++) Assert.Equal(.5, await judge.ValueAsync());
        Assert.Equal((1, 100), judge.Budget.Used);
    }

    /// <summary>100 tokens an answer: the third question is the first that finds 200 used.</summary>
    [Fact]
    public async Task Tokens_must_stop_at_their_limit()
    {
        await using var server = new JudgeServer(Behave.Score(5));
        using var judge = Judges.Of(server.Url, ("max-tokens", "200"));
        await judge.ValueAsync("a");
        await judge.ValueAsync("b");
        Assert.Equal(.5, await judge.ValueAsync("a"));
        Assert.Contains("max-tokens = 200 (200 so far)", await judge.FaultAsync("c"), StringComparison.Ordinal);
        // The pool stays closed: what is known is no proof that there is more.
        await judge.FaultAsync("a");
        Assert.Equal(2, server.Questions.Count);
    }

    [Fact]
    public async Task Tokens_that_nobody_counts_must_be_estimated_from_letters()
    {
        const string verdict = """{"score": 5}""";
        await using var server = new JudgeServer(Behave.Says(verdict, tokens: null));
        using var judge = Judges.Of(server.Url);
        await judge.ValueAsync();
        Assert.Equal((1, (server.Questions[0].Body.Length + verdict.Length + 3) / 4), judge.Budget.Used);
    }

    [Fact]
    public async Task Preparing_must_say_that_the_budget_is_too_small_for_a_judgement()
    {
        await using var server = new JudgeServer(Behave.Score(5));
        using var judge = Judges.Of(server.Url, ("max-requests", "1"));
        await judge.ValueAsync("something else");
        Assert.Contains("the budget of this process is used up: max-requests = 1", await judge.RefusalAsync(), StringComparison.Ordinal);
    }
}
