using System.Data.Common;
using LinqToDB;
using LinqToDB.Interceptors;
using Microsoft.Data.Sqlite;

namespace Lateral.Actors.Hosting;

/// <summary>
/// Files in the run directory: events and snapshots in files of their own, because snapshots starve in the events' file.
/// Write-ahead logging with synchronous NORMAL survives the death of the process.
/// </summary>
internal sealed class SqliteJournal(string directory) : Journal
{
    private const string Pragmas = "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA busy_timeout=10000;";

    private readonly string _events = Path.Combine(directory, "journal.db");
    private readonly string _snapshots = Path.Combine(directory, "snapshots.db");

    public override int Parallelism => 1;

    protected override DataOptions Events => Options(_events);

    protected override DataOptions Snapshots => Options(_snapshots);

    public override void Probe()
    {
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

    public override DbConnection OpenForReading()
    {
        if (!File.Exists(_events)) throw new RunHostException($"no journal at {_events}: the run has not started");
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

    private static string Connection(string path) => new SqliteConnectionStringBuilder { DataSource = path }.ToString();

    private static DataOptions Options(string path) => new DataOptions().UseConnectionString("SQLite.MS", Connection(path)).UseInterceptor(new SetPragmas());

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
