using System.Data.Common;
using Akka.Actor.Setup;
using Akka.Persistence.Sql.Config;
using LinqToDB;
using LinqToDB.Interceptors;
using Microsoft.Data.Sqlite;

namespace Lateral.Actors.Hosting;

/// <summary>
/// The SQLite journal of one run: events and snapshots in files of their own, because snapshots starve in the events'
/// file. Write-ahead logging with synchronous NORMAL survives the death of the process.
/// </summary>
internal sealed class Journal(string directory)
{
    private const string Pragmas = "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA busy_timeout=10000;";

    public string EventsConnection { get; } = Connection(Path.Combine(directory, "journal.db"));

    public string SnapshotsConnection { get; } = Connection(Path.Combine(directory, "snapshots.db"));

    public Setup ToSetup()
    {
        var setup = new MultiDataOptionsSetup();
        setup.AddDataOptions(AkkaConfiguration.JournalPlugin, Options(EventsConnection));
        setup.AddDataOptions(AkkaConfiguration.SnapshotPlugin, Options(SnapshotsConnection));
        return setup;
    }

    /// <summary>Opens, writes and reads both files, because the plugins would only log what is wrong and wait.</summary>
    /// <exception cref="RunHostException">a file cannot be used; the message says which and why</exception>
    public void Probe()
    {
        foreach (var connectionString in new[] { EventsConnection, SnapshotsConnection })
        {
            try
            {
                using var connection = new SqliteConnection(connectionString);
                connection.Open();
                using var command = connection.CreateCommand();
                command.CommandText = Pragmas + "CREATE TABLE IF NOT EXISTS lateral_probe (n INTEGER); DELETE FROM lateral_probe; INSERT INTO lateral_probe VALUES (1);";
                command.ExecuteNonQuery();
            }
            catch (SqliteException failure)
            {
                throw new RunHostException($"the journal {new SqliteConnectionStringBuilder(connectionString).DataSource} cannot be used: {failure.Message}", failure);
            }
        }
    }

    private static string Connection(string path) => new SqliteConnectionStringBuilder { DataSource = path }.ToString();

    private static DataOptions Options(string connection) =>
        new DataOptions().UseConnectionString("SQLite.MS", connection).UseInterceptor(new SetPragmas());

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
