using System.Collections.Immutable;
using Lateral.Actors.Serialization;
using Lateral.Core.Runs;
using Microsoft.Data.Sqlite;

namespace Lateral.Actors;

/// <summary>What the journal proves of a run.</summary>
/// <param name="Violations">empty when every invariant holds; otherwise each broken one, with its group or step</param>
public sealed record AuditReport(RunLedger Ledger, long Trajectories, long Rewards, long InfraFaults, ImmutableArray<string> Violations);

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
        var path = Path.Combine(settings.Directory, "journal.db");
        if (!File.Exists(path)) throw new RunHostException($"no journal at {path}: the run has not started");
        try
        {
            using var connection = new SqliteConnection(new SqliteConnectionStringBuilder { DataSource = path, Mode = SqliteOpenMode.ReadOnly }.ToString());
            connection.Open();
            return Audit(connection, settings);
        }
        catch (SqliteException failure)
        {
            throw new RunHostException($"the journal {path} cannot be read: {failure.Message}", failure);
        }
    }

    private static AuditReport Audit(SqliteConnection connection, RunSettings settings)
    {
        var violations = ImmutableArray.CreateBuilder<string>();
        var ledger = new RunLedger(settings.Ledger);
        var promised = new Dictionary<long, string>();
        var consumed = new HashSet<long>();
        foreach (var change in Read<IRunEvent>(connection, $"run-{settings.Name}"))
        {
            if (change is GroupCompleted completed) promised[completed.Ordinal] = completed.Hash;
            if (change is BatchFormed batch)
            {
                violations.AddRange(batch.Groups.Where(g => !consumed.Add(g.Ordinal)).Select(g => $"group {g.Ordinal} is in two batches, the second of step {batch.Step}"));
            }

            try
            {
                ledger = ledger.Apply(change);
            }
            catch (LedgerException broken)
            {
                violations.Add(broken.Message);
            }
        }

        var inFlight = ledger.Running.Count + ledger.Waiting.Count + (ledger.Pending?.Groups.Length ?? 0);
        if (ledger.Issued != ledger.Trained + ledger.Filtered + inFlight)
        {
            violations.Add($"{ledger.Issued} groups issued, but {ledger.Trained} trained + {ledger.Filtered} filtered + {inFlight} in flight");
        }

        var (trajectories, rewards, faults) = (0L, 0L, 0L);
        for (var ordinal = 0L; ordinal < ledger.Issued; ordinal++)
        {
            var group = new RolloutGroup(ordinal, settings.Rollout.GroupSize, settings.Pools);
            foreach (var change in Read<IGroupEvent>(connection, $"group-{settings.Name}-{ordinal}"))
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

        return new AuditReport(ledger, trajectories, rewards, faults, violations.ToImmutable());
    }

    private static IEnumerable<T> Read<T>(SqliteConnection connection, string persistenceId)
    {
        using var command = connection.CreateCommand();
        command.CommandText = "SELECT message, manifest FROM journal WHERE persistence_id = $id ORDER BY sequence_number";
        command.Parameters.AddWithValue("$id", persistenceId);
        using var reader = command.ExecuteReader();
        while (reader.Read()) yield return (T)EventSerializer.Decode((byte[])reader["message"], reader.GetString(1));
    }
}
