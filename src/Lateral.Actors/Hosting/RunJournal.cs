using System.Collections.Immutable;
using Lateral.Actors.Serialization;
using Lateral.Core.Runs;
using Microsoft.Data.Sqlite;

namespace Lateral.Actors;

/// <summary>A run's journal, read without an actor system: while the run goes on, or long after.</summary>
public static class RunJournal
{
    /// <summary>The ledger's events, oldest first.</summary>
    /// <exception cref="RunHostException">there is no journal, or it cannot be read</exception>
    public static ImmutableArray<IRunEvent> Events(RunSettings settings) => Read<IRunEvent>(settings, $"run-{settings.Name}");

    /// <summary>What the journal knows of one rollout group; an empty group where it knows nothing.</summary>
    /// <exception cref="RunHostException">there is no journal, or it cannot be read</exception>
    public static RolloutGroup Group(RunSettings settings, long ordinal) =>
        Read<IGroupEvent>(settings, $"group-{settings.Name}-{ordinal}")
            .Aggregate(new RolloutGroup(ordinal, settings.Rollout.GroupSize, settings.Pools), (group, change) => group.Apply(change));

    private static ImmutableArray<T> Read<T>(RunSettings settings, string persistenceId)
    {
        var path = Path.Combine(settings.Directory, "journal.db");
        if (!File.Exists(path)) throw new RunHostException($"no journal at {path}: the run has not started");
        try
        {
            // Without a pool, so that nothing keeps the file open after the read.
            using var connection = new SqliteConnection(new SqliteConnectionStringBuilder { DataSource = path, Mode = SqliteOpenMode.ReadOnly, Pooling = false }.ToString());
            connection.Open();
            using var command = connection.CreateCommand();
            command.CommandText = "SELECT message, manifest FROM journal WHERE persistence_id = $id ORDER BY sequence_number";
            command.Parameters.AddWithValue("$id", persistenceId);
            using var reader = command.ExecuteReader();
            var events = ImmutableArray.CreateBuilder<T>();
            while (reader.Read()) events.Add((T)EventSerializer.Decode((byte[])reader["message"], reader.GetString(1)));
            return events.ToImmutable();
        }
        catch (SqliteException failure)
        {
            throw new RunHostException($"the journal {path} cannot be read: {failure.Message}", failure);
        }
    }
}
