using System.Data.Common;
using Lateral.Actors.Hosting;
using Lateral.Core.Runs;
using Lateral.Tests;
using Microsoft.Data.Sqlite;
using Npgsql;

namespace Lateral.Actors.Tests;

/// <summary>I6 fencing: the journal takes one event for each number of an actor, so the writer that was replaced is refused by the database itself.</summary>
public sealed class JournalFenceSpecs : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("lateral-fence-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task Second_event_of_one_number_must_be_refused_by_sqlite()
    {
        var settings = TestEngines.Settings(_folder);
        await RunAsync(settings);
        using var connection = new SqliteConnection(new SqliteConnectionStringBuilder { DataSource = Path.Combine(_folder, "journal.db"), Pooling = false }.ToString());
        RequireFence(connection, "journal");
    }

    [PostgresFact]
    public async Task Second_event_of_one_number_must_be_refused_by_postgres()
    {
        await using var server = await PostgresServer.StartAsync();
        var settings = TestEngines.Settings(_folder) with { Journal = new("postgres", server.ConnectionString, new Secret(PostgresServer.Password)) };
        await RunAsync(settings);
        using var connection = new NpgsqlConnection($"{server.ConnectionString};Password={PostgresServer.Password};Pooling=false");
        RequireFence(connection, $"{File.ReadAllText(Path.Combine(_folder, "journal.id")).Trim()}.journal");
    }

    private static async Task RunAsync(RunSettings settings)
    {
        await using var host = await RunHost.StartAsync(settings, new TestEngines().ToRunEngines());
        await host.Completion.WaitAsync(TimeSpan.FromSeconds(60));
    }

    private static void RequireFence(DbConnection connection, string table)
    {
        connection.Open();
        var columns = string.Join(", ", Columns(connection, table).Where(column => column != "ordering"));
        using var command = connection.CreateCommand();
        command.CommandText = $"INSERT INTO {table} ({columns}) SELECT {columns} FROM {table} WHERE persistence_id = 'run-test' LIMIT 1";
        var refused = Assert.ThrowsAny<DbException>(() => command.ExecuteNonQuery());
        Assert.Contains("unique", refused.Message, StringComparison.OrdinalIgnoreCase);
    }

    private static List<string> Columns(DbConnection connection, string table)
    {
        using var command = connection.CreateCommand();
        command.CommandText = $"SELECT * FROM {table} WHERE 1 = 0";
        using var reader = command.ExecuteReader();
        return [.. Enumerable.Range(0, reader.FieldCount).Select(reader.GetName)];
    }
}
