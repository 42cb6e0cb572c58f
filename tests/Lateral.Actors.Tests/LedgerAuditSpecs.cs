using System.Collections.Immutable;
using Lateral.Core.Learning;
using Lateral.Core.Policies;
using Lateral.Core.Runs;

namespace Lateral.Actors.Tests;

public sealed class LedgerAuditSpecs
{
    private static readonly LedgerSettings Settings = new(GroupsPerStep: 2, MaxStaleness: 1, Steps: 10, Deterministic: false);

    /// <summary>Two steps of two groups; groups 2 and 3 were sampled under version 0 and trained at version 1: staleness 1.</summary>
    private static readonly IRunEvent[] Sound =
    [
        new EpochGranted(1, "a"), new BaseReady(Policy(0), new Checkpoint(0, "checkpoints/step_0", "h0"), ImmutableSortedDictionary<string, double>.Empty),
        new GroupIssued(0, 0), new GroupIssued(1, 0), new GroupIssued(2, 0), new GroupIssued(3, 0),
        new GroupCompleted(1, 0, 0, "h1"), new GroupCompleted(0, 0, 0, "h0"), Batch(1, 0, 1), Trained(1, 1),
        new GroupCompleted(2, 0, 1, "h2"), new GroupCompleted(3, 0, 0, "h3"), new EpochGranted(2, "b"), Batch(2, 2, 3), Trained(2, 2),
        new GroupIssued(4, 2), new GroupIssued(5, 2), new GroupFiltered(5, "reward pool failed"),
    ];

    [Fact]
    public void Sound_journal_must_balance_and_be_counted()
    {
        var balance = LedgerAudit.Of(Sound, Settings);
        Assert.Empty(balance.Violations);
        Assert.Equal((18, 1, 1, 0), (balance.Events, balance.OldestTrained, balance.Interruptions, balance.InBatch));
        Assert.Equal((6, 4, 1, 1), (balance.Ledger.Issued, balance.Ledger.Trained, balance.Ledger.Filtered, balance.Ledger.Running.Count));
    }

    [Fact]
    public void Every_prefix_must_balance() =>
        Assert.All(Enumerable.Range(0, Sound.Length), length => Assert.Empty(LedgerAudit.Of(Sound.Take(length), Settings).Violations));

    [Fact]
    public void Group_that_is_too_old_must_be_named()
    {
        var balance = LedgerAudit.Of(Sound, Settings with { MaxStaleness = 0 });
        Assert.Equal<string>(
            ["step 2 trains group 2 at staleness 1, the budget is 0", "step 2 trains group 3 at staleness 1, the budget is 0"],
            balance.Violations);
    }

    [Fact]
    public void Event_that_cannot_follow_must_end_the_audit_with_its_number()
    {
        var balance = LedgerAudit.Of([.. Sound[..9], new GroupCompleted(0, 0, 0, "again"), .. Sound[9..]], Settings);
        Assert.StartsWith("event 10: ", Assert.Single(balance.Violations), StringComparison.Ordinal);
        Assert.Equal(10, balance.Events);
    }

    [Fact]
    public void Batch_that_takes_a_group_again_must_be_refused()
    {
        var balance = LedgerAudit.Of([.. Sound[..10], Batch(2, 0, 1)], Settings);
        Assert.StartsWith("event 11: ", Assert.Single(balance.Violations), StringComparison.Ordinal);
    }

    private static BatchFormed Batch(int step, params long[] groups) => new(step, [.. groups.Select(group => new BatchGroup(group, $"h{group}"))]);

    private static StepTrained Trained(int epoch, int step) => new(epoch, new StepReport(step, Policy(step), false, ImmutableSortedDictionary<string, double>.Empty));

    private static PolicyManifest Policy(int version) => new(1, version, $"p{version}", "", PayloadKind.Full, 1, $"policies/v{version}.safetensors");
}
