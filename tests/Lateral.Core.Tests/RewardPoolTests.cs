using System.Collections.Immutable;
using Lateral.Core.Prompts;
using Lateral.Core.Rewards;
using Lateral.Core.Rollouts;

namespace Lateral.Core.Tests;

public sealed class RewardPoolTests
{
    private static readonly ImmutableSortedDictionary<string, double> NoParts = ImmutableSortedDictionary<string, double>.Empty;

    [Fact]
    public async Task Verifier_that_throws_or_hangs_must_yield_an_infrastructure_fault_and_leave_the_others_scored()
    {
        using var never = new ManualResetEventSlim();
        var pool = new RewardPool(Spec(workers: 3, TimeSpan.FromMilliseconds(300)), new Verifier(request => request.Id.Sibling switch
        {
            0 => throw new IOException("disk"),
            1 => Hang(never),
            _ => new RewardOutcome.Scored(request.Id.Sibling, NoParts),
        }));
        var outcomes = await pool.ScoreAsync([.. Enumerable.Range(0, 4).Select(Request)]);
        never.Set();
        Assert.Contains("disk", Assert.IsType<RewardOutcome.InfraFault>(outcomes[0]).Kind, StringComparison.Ordinal);
        Assert.Contains("no answer within 0.3 s", Assert.IsType<RewardOutcome.InfraFault>(outcomes[1]).Kind, StringComparison.Ordinal);
        Assert.Equal([2.0, 3.0], outcomes[2..].Select(outcome => Assert.IsType<RewardOutcome.Scored>(outcome).Value));
    }

    [Fact]
    public async Task Pool_must_never_run_more_calls_than_it_has_workers()
    {
        var (running, most) = (0, 0);
        var pool = new RewardPool(Spec(workers: 2, TimeSpan.FromSeconds(10)), new Verifier(_ =>
        {
            var now = Interlocked.Increment(ref running);
            lock (NoParts) most = Math.Max(most, now);
            Thread.Sleep(2);
            Interlocked.Decrement(ref running);
            return new RewardOutcome.Scored(1, NoParts);
        }));
        await Task.WhenAll(pool.ScoreAsync([.. Enumerable.Range(0, 10).Select(Request)]), pool.ScoreAsync([.. Enumerable.Range(0, 10).Select(Request)]));
        Assert.InRange(most, 1, 2);
    }

    [Fact]
    public async Task Guesses_must_be_scored_like_completions_and_equal_ones_once()
    {
        var asked = new List<string>();
        var pool = new RewardPool(Spec(workers: 1, TimeSpan.FromSeconds(10)) with { FaultReward = -1 }, new Verifier(request =>
        {
            Assert.Empty(request.Guesses);
            asked.Add(request.Completion);
            return request.Completion == "?" ? new RewardOutcome.ModelFault("unreadable") : new RewardOutcome.Scored(request.Completion.Length, NoParts);
        }));
        var outcomes = await pool.ScoreAsync([Request(0) with { Completion = "12", Guesses = ["123", "12", "?", "123"] }, Request(1) with { Completion = "?", Guesses = ["?", ""] }, Request(2)]);
        Assert.Equal(2, Assert.IsType<RewardOutcome.Scored>(outcomes[0]).Value);
        Assert.Equal([3, 2, -1, 3], outcomes[0].Guesses.ToArray());
        Assert.IsType<RewardOutcome.ModelFault>(outcomes[1]);
        Assert.Equal([-1, 0], outcomes[1].Guesses.ToArray());
        Assert.Empty(outcomes[2].Guesses);
        Assert.Equal(["12", "123", "?", "?", "", ""], asked);
    }

    [Theory]
    [InlineData(double.NaN)]
    [InlineData(null)]
    public async Task Guess_that_cannot_be_scored_must_be_an_infrastructure_fault_of_its_rollout(double? value)
    {
        var pool = new RewardPool(Spec(workers: 1, TimeSpan.FromSeconds(10)), new Verifier(request => request.Completion.Length == 0
            ? new RewardOutcome.Scored(1, NoParts) : value is { } number ? new RewardOutcome.Scored(number, NoParts) : throw new IOException("disk")));
        var outcome = Assert.Single(await pool.ScoreAsync([Request(0) with { Guesses = ["", "7"] }]));
        Assert.Contains(value is null ? "disk" : "non-finite", Assert.IsType<RewardOutcome.InfraFault>(outcome).Kind, StringComparison.Ordinal);
    }

    private static RewardOutcome Hang(ManualResetEventSlim never)
    {
        never.Wait(TimeSpan.FromSeconds(30));
        return new RewardOutcome.Scored(1, NoParts);
    }

    private static RewardPoolSpec Spec(int workers, TimeSpan timeout) => new("answer", "test", workers, 1, timeout, 0);

    private static RewardRequest Request(int sibling) => new(new RolloutId(0, sibling), new Prompt(0, [], "", ""), "");

    private sealed class Verifier(Func<RewardRequest, RewardOutcome> score) : IReward
    {
        public ValueTask<RewardOutcome> ScoreAsync(RewardRequest request, CancellationToken cancellation) => ValueTask.FromResult(score(request));
    }
}

public sealed class SpeedupTests
{
    [Theory]
    [InlineData(1.5, 1.40)]
    [InlineData(2, 1.67)]
    [InlineData(3, 2.07)]
    [InlineData(5, 2.56)]
    public void Shared_hardware_must_reproduce_the_published_band(double phi, double expected)
    {
        // g, t, c = .70, .25, .05 of a synchronous step: the compacted generation time is g / phi.
        var speedup = new Runs.Speedup(.70 / phi, .25, .05, phi);
        Assert.Equal(expected, speedup.Predicted(dedicated: false), 2);
        Assert.Equal(1 / Math.Max(.70 / phi, .25), speedup.Predicted(dedicated: true), 6);
    }

    [Fact]
    public void Straggler_must_be_the_longest_row_over_the_mean_row() =>
        Assert.Equal(8.0 / 4, Runs.Speedup.StragglerOf([8, 2, 2, 4]), 12);
}
