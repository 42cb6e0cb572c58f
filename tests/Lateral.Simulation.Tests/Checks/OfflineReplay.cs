using System.Collections.Immutable;
using System.Globalization;
using Lateral.Actors;
using Lateral.Core.Rewards;
using Lateral.Core.Runs;
using Lateral.Simulation.Tests.Engines;

namespace Lateral.Simulation.Tests.Checks;

/// <summary>I5 and the rest of the balance at the end: everything is derived again from the journal alone, without any actor.</summary>
internal static class OfflineReplay
{
    /// <returns>the weights after the last step</returns>
    public static string Check(World world)
    {
        var (settings, verdicts) = (world.Scenario.ToSettings(), world.Verdicts);
        IRunEvent[] journal = [.. world.Journal.Of($"run-{Scenario.Run}").Cast<IRunEvent>()];
        var balance = LedgerAudit.Of(journal, settings.Ledger);
        foreach (var violation in balance.Violations) verdicts.Require(false, "I2 Conservation", violation);
        var ledger = world.Ledger.Fold;
        verdicts.Require(ledger.Running.IsEmpty && ledger.Waiting.IsEmpty && ledger.Pending is null, "I2 Conservation", $"a finished run has groups in flight: {LedgerStatus.Of(ledger)}");
        verdicts.Require(world.Disk.Recorded.Order().SequenceEqual(Enumerable.Range(1, settings.Steps)), "I9 Retention", $"steps {string.Join(", ", world.Disk.Recorded)} are recorded");

        var published = new Dictionary<int, string>();
        var (weights, formed) = (SimulatedLearner.Base, (BatchFormed?)null);
        foreach (var change in journal)
        {
            switch (change)
            {
                case BaseReady ready:
                    published[0] = ready.Policy.Hash;
                    break;
                case BatchFormed batch:
                    formed = batch;
                    break;
                case StepTrained trained:
                    var groups = formed!.Groups.Select(group => GroupOf(world, settings, group, published, trained.Step)).ToImmutableArray();
                    weights = SimulatedLearner.Train(weights, groups);
                    published[trained.Step] = trained.Report.Policy.Hash;
                    verdicts.Require(weights == trained.Report.Policy.Hash, "I5 Replay", $"step {trained.Step} was published as {trained.Report.Policy.Hash} and replays as {weights}");
                    break;
            }
        }

        verdicts.Require(ledger.LastCheckpoint is { } last && world.Disk.Load(last) == weights, "I5 Replay", "the last checkpoint is not what the journal replays to");
        return weights;
    }

    private static ScoredGroup GroupOf(World world, RunSettings settings, BatchGroup promised, Dictionary<int, string> published, int step)
    {
        var group = world.Journal.Of(string.Create(CultureInfo.InvariantCulture, $"group-{Scenario.Run}-{promised.Ordinal}")).Cast<IGroupEvent>()
            .Aggregate(RolloutGroup.Of(promised.Ordinal, settings), (state, change) => state.Apply(change));
        world.Verdicts.Require(group.IsComplete, "I3 At-most-once effect", $"group {promised.Ordinal} of step {step} is not whole in the journal");
        if (!group.IsComplete) return new ScoredGroup(promised.Ordinal, []);
        var scored = group.ToScored();
        world.Verdicts.Require(ContentHash.Of(scored) == promised.Hash, "I5 Replay", $"group {promised.Ordinal} is not what the batch of step {step} promised");
        foreach (var trajectory in scored.Siblings.Select(sibling => sibling.Trajectory))
        {
            world.Verdicts.Require(
                step - 1 - trajectory.OldestVersion <= settings.MaxStaleness, "I7 Staleness", $"{trajectory.Id} of version {trajectory.OldestVersion} is trained in step {step}");
            world.Verdicts.Require(
                trajectory.Policies.All(span => published.GetValueOrDefault(span.Version) == span.Hash), "I7 Staleness", $"{trajectory.Id} was sampled under a policy that no accepted step published");
        }

        return scored;
    }
}
