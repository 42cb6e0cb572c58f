using System.Collections.Immutable;
using Lateral.Core.Rewards;

namespace Lateral.Core.Tests;

public sealed class FaultBreakerTests
{
    private static readonly RewardOutcome Fault = new RewardOutcome.InfraFault("host down");
    private static readonly RewardOutcome Scored = new RewardOutcome.Scored(1, ImmutableSortedDictionary<string, double>.Empty);

    [Theory]
    [InlineData(10, 40, false)]
    [InlineData(11, 39, true)]
    [InlineData(11, 0, true)]
    [InlineData(10, 0, false)]
    public void Breaker_must_open_above_a_fifth_of_the_window(int faults, int scored, bool open)
    {
        var breaker = new FaultBreaker().Note(Enumerable.Repeat(Scored, scored)).Note(Enumerable.Repeat(Fault, faults));
        Assert.Equal(open, breaker.Open is not null);
        if (open) Assert.Equal($"11 of its last {faults + scored} answers were infrastructure faults: host down", breaker.Open);
    }

    [Fact]
    public void Faults_beyond_the_window_must_be_forgotten()
    {
        var breaker = new FaultBreaker();
        for (var i = 0; i < 100; i++) breaker = breaker.Note([Fault]).Note(Enumerable.Repeat(Scored, 5));
        Assert.Null(breaker.Open);
    }

    [Fact]
    public void Breaker_must_close_on_an_answer_only_and_remember_nothing()
    {
        var open = new FaultBreaker().Note(Enumerable.Repeat(Fault, 11));
        Assert.NotNull(open.Probe(Fault).Open);
        Assert.NotNull(open.Note(Enumerable.Repeat(Scored, 50)).Open);
        var closed = open.Probe(new RewardOutcome.ModelFault("wrong form"));
        Assert.Null(closed.Open);
        Assert.Null(closed.Note(Enumerable.Repeat(Fault, 10)).Open);
    }
}
