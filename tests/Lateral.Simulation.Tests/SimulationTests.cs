using Xunit.Abstractions;

namespace Lateral.Simulation.Tests;

public sealed class SimulationTests(ITestOutputHelper output)
{
    /// <summary>
    /// Every invariant in every run: <see cref="Checks.LedgerWatch"/> at each event, <see cref="Checks.OfflineReplay"/> at the end;
    /// in deterministic mode also the weights of the same run without faults. The kept seeds come first.
    /// </summary>
    [Fact]
    public void Seeds_must_keep_every_invariant_through_crashes_loss_duplicates_and_a_failing_journal()
    {
        var sweep = Sweep.Of(Seeds.Kept().Concat(Seeds.Chosen()).Select(Scenario.Of));
        output.WriteLine(sweep.Summary);
        Assert.True(sweep.Failures.Count == 0, $"{sweep.Summary}\n\n{string.Join('\n', sweep.Failures)}");
    }

    /// <summary>A sweep in which nothing happened would prove nothing.</summary>
    [Fact]
    public void Hundred_stormy_seeds_must_see_every_kind_of_fault()
    {
        var sweep = Sweep.Of(Seeds.Range($"{Scenario.Stormy + 1}..{Scenario.Stormy + 100}").Select(Scenario.Of));
        output.WriteLine(sweep.Summary);
        Assert.True(sweep.Failures.Count == 0, string.Join('\n', sweep.Failures));
        // Fenced: a report of a lower epoch was refused. Refused: a superseded writer met the journal's unique key.
        Assert.All(["killed", "overlaps", "cut", "lost", "doubled", "stopped", "fenced", "refused", "nobody"], kind => Assert.True(sweep.Counts.GetValueOrDefault(kind) > 0, $"{kind}: {sweep.Summary}"));
    }

    [Fact]
    public void Seed_must_run_the_same_twice_event_for_event()
    {
        var sweep = Sweep.Of(Seeds.Range("200").Select(Scenario.Of), twice: true);
        output.WriteLine(sweep.Summary);
        Assert.True(sweep.Failures.Count == 0, string.Join('\n', sweep.Failures));
    }

    [Theory]
    [InlineData(nameof(Plant.AcknowledgedUnwritten), "I3", 60)]
    [InlineData(nameof(Plant.NoUniqueKey), "I3", 400)]
    [InlineData(nameof(Plant.NoFencing), "I6", 400)]
    [InlineData(nameof(Plant.FabricatedReward), "I8", 60)]
    [InlineData(nameof(Plant.UnseededSampler), "I5", 60)]
    [InlineData(nameof(Plant.SaidOnce), "I10", 60)]
    public void Planted_bug_must_be_found(string plant, string invariant, int within)
    {
        var sweep = Sweep.Of(Seeds.Range($"{Scenario.Stormy + 1}..{Scenario.Stormy + (ulong)within}").Select(Scenario.Of), Enum.Parse<Plant>(plant), enough: 6);
        output.WriteLine(sweep.Summary);
        Assert.True(
            sweep.Failures.Any(failure => failure.Contains($"\n{invariant} ", StringComparison.Ordinal)), $"{sweep.Summary}\n\n{string.Join('\n', sweep.Failures)}");
    }
}
