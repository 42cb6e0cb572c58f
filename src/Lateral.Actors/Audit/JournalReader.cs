using Lateral.Actors.Serialization;
using Lateral.Core.Runs;
using Microsoft.Data.Sqlite;

namespace Lateral.Actors.Audit;

/// <summary>Reads a run's journal file without an actor system and without writing to it.</summary>
public sealed class JournalReader(string path)
{
    /// <summary>The run's events, oldest first.</summary>
    /// <exception cref="JournalException">the file is missing, is no journal, has a gap, or holds what this version does not know</exception>
    public IReadOnlyList<IRunEvent> RunEvents(string runName) => [.. Read($"run-{runName}").Cast<IRunEvent>()];

    /// <summary>A group's events, oldest first; empty when the group never recorded anything or they were deleted after their checkpoint.</summary>
    /// <exception cref="JournalException">see <see cref="RunEvents"/></exception>
    public IReadOnlyList<IGroupEvent> GroupEvents(string runName, long ordinal) => [.. Read($"group-{runName}-{ordinal}").Cast<IGroupEvent>()];

    private List<object> Read(string persistenceId)
    {
        if (!File.Exists(path)) throw new JournalException($"{path} does not exist: the run never started, or its journal lies elsewhere");
        try
        {
            // Not read-only mode: the write-ahead log of a killed process is taken in on opening.
            using var connection = new SqliteConnection(new SqliteConnectionStringBuilder { DataSource = path, Mode = SqliteOpenMode.ReadWrite, Pooling = false }.ToString());
            connection.Open();
            using var command = connection.CreateCommand();
            command.CommandText = "SELECT sequence_number, manifest, message FROM journal WHERE persistence_id = $id ORDER BY sequence_number";
            command.Parameters.AddWithValue("$id", persistenceId);
            using var rows = command.ExecuteReader();
            // The serializer needs an actor system for references and addresses only, which events have none of.
            var serializer = new EventSerializer(null!);
            var events = new List<object>();
            long? before = null;
            while (rows.Read())
            {
                var number = rows.GetInt64(0);
                if (before is { } last && number != last + 1) throw new JournalException($"{path}: {persistenceId} jumps from event {last} to {number}");
                before = number;
                events.Add(serializer.FromBinary((byte[])rows.GetValue(2), rows.GetString(1)));
            }

            return events;
        }
        catch (Exception broken) when (broken is SqliteException or Google.Protobuf.InvalidProtocolBufferException or ArgumentException)
        {
            throw new JournalException($"{path}: {persistenceId} cannot be read: {broken.Message}", broken);
        }
    }
}

/// <summary>A journal that cannot be read, or whose events do not follow one another.</summary>
public sealed class JournalException(string message, Exception? inner = null) : Exception(message, inner);
