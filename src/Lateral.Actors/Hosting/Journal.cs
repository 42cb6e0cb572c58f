using System.Data.Common;
using Akka.Actor.Setup;
using Akka.Persistence.Sql.Config;
using Lateral.Actors.Serialization;
using Lateral.Core.Runs;
using LinqToDB;

namespace Lateral.Actors.Hosting;

/// <summary>
/// Where one run's events and snapshots are kept. Invariant: no two runs share a persistence id, because each run has files
/// (SQLite) or a schema (PostgreSQL) of its own.
/// </summary>
internal abstract class Journal
{
    /// <summary>Writers at once; Akka's default suits a server, a file takes one.</summary>
    public abstract int Parallelism { get; }

    /// <summary>As linq2db calls it. Akka makes the index of (actor, number), which fences a second writer, only for a provider that it is told.</summary>
    public abstract string Provider { get; }

    /// <summary>The copy in the run directory; null where the journal needs none.</summary>
    public virtual JournalBackup? Backup => null;

    /// <summary>Whether the run has a journal; asked of files only.</summary>
    public abstract bool Exists { get; }

    protected abstract DataOptions Events { get; }

    protected abstract DataOptions Snapshots { get; }

    public static Journal Of(RunSettings settings) => settings.Journal.Kind switch
    {
        "sqlite" => new SqliteJournal(settings),
        "postgres" => new PostgresJournal(settings),
        var kind => throw new ArgumentException($"journal.kind = {kind} is unknown", nameof(settings)),
    };

    public Setup ToSetup()
    {
        var setup = new MultiDataOptionsSetup();
        setup.AddDataOptions(AkkaConfiguration.JournalPlugin, Events);
        setup.AddDataOptions(AkkaConfiguration.SnapshotPlugin, Snapshots);
        return setup;
    }

    /// <summary>Looks whether it could be used, and changes nothing.</summary>
    /// <returns>where it is, for messages</returns>
    /// <exception cref="RunHostException">it cannot be used; the message says what, why, and what to set</exception>
    public abstract string Reach();

    /// <summary>Opens, writes and reads, because Akka's plugins would only log what is wrong and wait.</summary>
    /// <exception cref="RunHostException">it cannot be used; the message says what, why, and what to set</exception>
    public abstract void Probe();

    /// <summary>Makes the copy the journal, where that is lost.</summary>
    /// <param name="forget">told the copy's last step before anything is changed</param>
    /// <exception cref="RunHostException">the journal is there, it could not be used, or it has no copy</exception>
    public virtual string Restore(Action<int> forget) =>
        throw new RunHostException("the journal has no copy to restore it from: only with journal.kind = sqlite and a journal.dir it has - leave --from-backup out");

    /// <summary>An open connection whose table <c>journal</c> holds the run's events; nothing is written over it.</summary>
    /// <exception cref="RunHostException">the run has no journal yet, or it cannot be opened</exception>
    public abstract DbConnection OpenForReading();

    /// <summary>One persistent actor's events, oldest first, each with its number.</summary>
    public static IEnumerable<(T Event, long Number)> Read<T>(DbConnection connection, string persistenceId)
    {
        using var command = connection.CreateCommand();
        command.CommandText = "SELECT message, manifest, sequence_number FROM journal WHERE persistence_id = @id ORDER BY sequence_number";
        var id = command.CreateParameter();
        (id.ParameterName, id.Value) = ("@id", persistenceId);
        command.Parameters.Add(id);
        using var reader = command.ExecuteReader();
        while (reader.Read()) yield return ((T)EventSerializer.Decode((byte[])reader["message"], reader.GetString(1)), reader.GetInt64(2));
    }

    /// <summary>A failure of the database in the user's words; what it holds of passwords is not among them.</summary>
    public abstract RunHostException Explain(DbException failure);
}
