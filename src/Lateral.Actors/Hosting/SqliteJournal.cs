using System.Data.Common;
using Lateral.Core;
using Lateral.Core.Runs;
using LinqToDB;
using LinqToDB.Interceptors;
using Microsoft.Data.Sqlite;

namespace Lateral.Actors.Hosting;

/// <summary>
/// Files in the run directory, or below <c>journal.dir</c>: events and snapshots in files of their own, because snapshots starve in
/// the events' file. Write-ahead logging with synchronous NORMAL survives the death of the process.
/// </summary>
/// <param name="mountOf">what a folder lies on; the system's own answer but in tests</param>
internal sealed class SqliteJournal(RunSettings settings, Func<string, Mount?>? mountOf = null) : Journal
{
    private const string Pragmas = "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA busy_timeout=10000;";

    private readonly string _folder = FolderOf(settings);
    private readonly string _events = Path.Combine(FolderOf(settings), "journal.db");
    private readonly string _snapshots = Path.Combine(FolderOf(settings), "snapshots.db");

    public override int Parallelism => 1;

    public override string Provider => "SQLite.MS";

    protected override DataOptions Events => Options(_events);

    protected override DataOptions Snapshots => Options(_snapshots);

    public override JournalBackup? Backup { get; } = settings.Journal.Directory is null ? null : new JournalBackup(settings, FolderOf(settings));

    public override bool Exists => File.Exists(_events);

    /// <summary>Its name in <c>journal.dir</c> follows from the run directory's path.</summary>
    private static string FolderOf(RunSettings settings) => settings.Journal.Directory is { } disk ? Path.Combine(disk, settings.UniqueName()) : settings.Directory;

    public override string Reach()
    {
        RequireLocalDisk();
        if (!Exists && Backup is { Exists: true })
            throw new RunHostException(
                $"the journal of run {settings.Name} is not in {_folder}, and {Backup.Describe()} - put the journal back there, or go on from the copy and lose what came after it: lateral resume {settings.Name} --from-backup");
        return settings.Journal.Directory is null ? "SQLite files in the run directory" : $"SQLite files in {_folder}";
    }

    public override void Probe()
    {
        Reach();
        if (settings.Journal.Directory is not null) MakeFolder();
        foreach (var path in new[] { _events, _snapshots })
        {
            try
            {
                using var connection = new SqliteConnection(Connection(path));
                connection.Open();
                using var command = connection.CreateCommand();
                command.CommandText = Pragmas + "CREATE TABLE IF NOT EXISTS lateral_probe (n INTEGER); DELETE FROM lateral_probe; INSERT INTO lateral_probe VALUES (1);";
                command.ExecuteNonQuery();
            }
            catch (SqliteException failure)
            {
                throw new RunHostException($"the journal {path} cannot be used: {failure.Message}", failure);
            }
        }
    }

    public override string Restore(Action<int> forget)
    {
        RequireLocalDisk();
        return Backup?.Restore(forget) ?? base.Restore(forget);
    }

    public override DbConnection OpenForReading()
    {
        if (!Exists) throw new RunHostException($"no journal at {_events}: {(Backup is { Exists: true } ? $"it is on another machine or lost, and {Backup.Describe()}" : "the run has not started")}");
        // Without a pool, so that nothing keeps the file open after the read.
        var connection = new SqliteConnection(new SqliteConnectionStringBuilder { DataSource = _events, Mode = SqliteOpenMode.ReadOnly, Pooling = false }.ToString());
        try
        {
            connection.Open();
            return connection;
        }
        catch (SqliteException failure)
        {
            connection.Dispose();
            throw Explain(failure);
        }
    }

    public override RunHostException Explain(DbException failure) => new($"the journal {_events} cannot be read: {failure.Message}", failure);

    private void RequireLocalDisk()
    {
        if ((mountOf ?? Mount.Of)(_folder) is { IsNetwork: true } mount)
            throw new RunHostException(
                $"the journal cannot be in {_folder}: that is on the network ({mount.Type}, mounted at {mount.Point}), where SQLite's locks do not hold and its files break - write journal.dir = /a/folder/on/a/local/disk, or journal.kind = postgres");
    }

    private void MakeFolder()
    {
        try
        {
            Directory.CreateDirectory(_folder);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            throw new RunHostException($"the journal's folder {_folder} cannot be made: {failure.Message} - change journal.dir", failure);
        }
    }

    private static string Connection(string path) => new SqliteConnectionStringBuilder { DataSource = path }.ToString();

    private DataOptions Options(string path) => new DataOptions().UseConnectionString(Provider, Connection(path)).UseInterceptor(new SetPragmas());

    /// <summary>synchronous and busy_timeout belong to a connection and cannot stand in its connection string.</summary>
    private sealed class SetPragmas : ConnectionInterceptor
    {
        public override void ConnectionOpened(ConnectionEventData eventData, DbConnection connection)
        {
            using var command = connection.CreateCommand();
            command.CommandText = Pragmas;
            command.ExecuteNonQuery();
        }

        public override async Task ConnectionOpenedAsync(ConnectionEventData eventData, DbConnection connection, CancellationToken cancellationToken)
        {
            await using var command = connection.CreateCommand();
            command.CommandText = Pragmas;
            await command.ExecuteNonQueryAsync(cancellationToken);
        }
    }
}
