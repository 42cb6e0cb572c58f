using System.Collections.Immutable;
using System.Data.Common;
using Lateral.Actors.Hosting;
using Lateral.Core.Runs;

namespace Lateral.Actors;

/// <summary>What the journal proves of a run.</summary>
/// <param name="Violations">empty when every invariant holds, the balance's included; otherwise each broken one, with its group or step</param>
public sealed record AuditReport(LedgerBalance Balance, long Trajectories, long Rewards, long InfraFaults, ImmutableArray<string> Violations)
{
    public RunLedger Ledger => Balance.Ledger;
}

/// <summary>
/// Replays a run's journal without an actor system and proves its balance: issued = trained + filtered + in flight for
/// groups and rollouts, every group in one batch, every trajectory and reward recorded once, and every trained group's
/// content equal to what the ledger promised.
/// </summary>
public static class JournalAudit
{
    /// <exception cref="RunHostException">there is no journal, or it cannot be read</exception>
    public static AuditReport Run(RunSettings settings)
    {
        var journal = Journal.Of(settings);
        try
        {
            using var connection = journal.OpenForReading();
            return Audit(connection, settings);
        }
        catch (DbException failure)
        {
            throw journal.Explain(failure);
        }
    }

    private static AuditReport Audit(DbConnection connection, RunSettings settings)
    {
        var violations = ImmutableArray.CreateBuilder<string>();
        var events = Read<IRunEvent>(connection, $"run-{settings.Name}", violations.Add).ToImmutableArray();
        var balance = LedgerAudit.Of(events, settings.Ledger);
        var ledger = balance.Ledger;
        violations.AddRange(balance.Violations);
        var promised = new Dictionary<long, string>();
        foreach (var completed in events.OfType<GroupCompleted>()) promised[completed.Ordinal] = completed.Hash;
        var (trajectories, rewards, faults) = (0L, 0L, 0L);
        for (var ordinal = 0L; ordinal < ledger.Issued; ordinal++)
        {
            var group = RolloutGroup.Of(ordinal, settings);
            foreach (var change in Read<IGroupEvent>(connection, $"group-{settings.Name}-{ordinal}", violations.Add))
            {
                try
                {
                    group = group.Apply(change);
                }
                catch (ArgumentException twice)
                {
                    violations.Add($"group {ordinal}: recorded twice: {twice.Message}");
                }
            }

            (trajectories, rewards, faults) = (trajectories + group.Trajectories.Count, rewards + group.Rewards.Count, faults + group.InfraFaults);
            if (!promised.TryGetValue(ordinal, out var hash)) continue;
            if (!group.IsComplete) violations.Add($"group {ordinal} is completed in the ledger but not in its own journal");
            else if (ContentHash.Of(group.ToScored()) != hash) violations.Add($"group {ordinal} has other content than the ledger promised");
        }

        return new AuditReport(balance, trajectories, rewards, faults, violations.ToImmutable());
    }

    /// <param name="violated">told of numbers that are missing between two events</param>
    private static IEnumerable<T> Read<T>(DbConnection connection, string persistenceId, Action<string> violated)
    {
        long? before = null;
        foreach (var (change, number) in Journal.Read<T>(connection, persistenceId))
        {
            if (before is { } last && number != last + 1) violated($"the journal of {persistenceId} jumps from event {last} to {number}");
            before = number;
            yield return change;
        }
    }
}
