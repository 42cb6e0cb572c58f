using System.Data.Common;
using System.Text.RegularExpressions;
using Lateral.Core;
using Lateral.Core.Runs;
using LinqToDB;
using Npgsql;

namespace Lateral.Actors.Hosting;

/// <summary>
/// A PostgreSQL database that any number of runs may share: each has a schema of its own, made at its first start and named
/// in the run directory's file <c>journal.id</c>. So two runs of the same name never meet, whatever directories they are in;
/// and a run whose schema is gone is refused instead of started anew over its checkpoints. A run directory that is copied
/// shares its journal with the original: only one of the two may go on. Coordinators that stand by for each other have
/// directories of their own and find the journal by <c>journal.schema</c>, which says in a table whose run it holds.
/// </summary>
internal sealed partial class PostgresJournal(RunSettings settings) : Journal
{
    private readonly JournalServer _server = new(settings.Journal);
    private readonly string _identity = Path.Combine(settings.Directory, "journal.id");

    public override int Parallelism => 3;

    public override string Provider => "PostgreSQL.15";

    public override bool Exists => File.Exists(_identity);

    protected override DataOptions Events => new DataOptions().UseConnectionString(Provider, InSchema());

    protected override DataOptions Snapshots => Events;

    public override string Reach() => JournalServer.Reach(settings.Journal)!;

    public override void Probe()
    {
        try
        {
            using var connection = _server.Open();
            if (!File.Exists(_identity)) Claim(connection);
            else RequireSchema(connection);
            Execute(connection, $"SET search_path TO {Schema()}; CREATE TABLE IF NOT EXISTS lateral_probe (n INTEGER); DELETE FROM lateral_probe; INSERT INTO lateral_probe VALUES (1)");
        }
        catch (DbException failure)
        {
            throw Explain(failure);
        }
    }

    public override DbConnection OpenForReading()
    {
        if (!File.Exists(_identity)) throw new RunHostException($"no journal: {_identity} is not there, so the run has not started");
        try
        {
            var connection = _server.Open();
            RequireSchema(connection);
            Execute(connection, $"SET search_path TO {Schema()}; SET default_transaction_read_only = on");
            return connection;
        }
        catch (DbException failure)
        {
            throw Explain(failure);
        }
    }

    public override RunHostException Explain(DbException failure) => _server.Explain(failure);

    /// <summary>The schema first: a file that names no schema would make the run unusable.</summary>
    private void Claim(NpgsqlConnection connection)
    {
        if (settings.Journal.Schema is { } shared)
        {
            Share(connection, shared);
            DurableFile.WriteText(_identity, shared + "\n");
            return;
        }

        var name = string.Concat(settings.Name.ToLowerInvariant().Select(c => char.IsAsciiLetterOrDigit(c) ? c : '_'));
        var schema = $"lateral_{name[..Math.Min(30, name.Length)]}_{Guid.NewGuid().ToString("N")[..16]}";
        Execute(connection, $"CREATE SCHEMA {schema}");
        DurableFile.WriteText(_identity, schema + "\n");
    }

    /// <summary>Several coordinators may come at once; the lock lets one of them make what the others find.</summary>
    private void Share(NpgsqlConnection connection, string schema)
    {
        using var transaction = connection.BeginTransaction();
        Execute(connection, "SELECT pg_advisory_xact_lock(hashtext('lateral.journal.schema'))");
        Execute(connection, $"CREATE SCHEMA IF NOT EXISTS {schema}; CREATE TABLE IF NOT EXISTS {schema}.lateral_run (name text NOT NULL)");
        using var command = new NpgsqlCommand($"INSERT INTO {schema}.lateral_run SELECT @name WHERE NOT EXISTS (SELECT FROM {schema}.lateral_run); SELECT name FROM {schema}.lateral_run", connection);
        command.Parameters.AddWithValue("name", settings.Name);
        var owner = (string)command.ExecuteScalar()!;
        if (owner != settings.Name)
            throw new RunHostException($"journal.schema = {schema} at {_server.Place} holds the journal of run {owner}, and this is run {settings.Name} - give each run a schema of its own");
        transaction.Commit();
    }

    private void RequireSchema(NpgsqlConnection connection)
    {
        using var command = new NpgsqlCommand("SELECT count(*) FROM pg_namespace WHERE nspname = @schema", connection);
        command.Parameters.AddWithValue("schema", Schema());
        if (command.ExecuteScalar() is 1L) return;
        throw new RunHostException(
            $"{_server.Place} has no schema {Schema()}, which holds this run's journal - it was dropped, or this is another database - set journal.connection-string to the one that has it");
    }

    private string InSchema() => new NpgsqlConnectionStringBuilder(_server.ConnectionString) { SearchPath = Schema() }.ToString();

    private string Schema()
    {
        var schema = File.ReadAllText(_identity).Trim();
        return SchemaName().IsMatch(schema) ? schema : throw new RunHostException($"{_identity} names no schema: it should hold one line such as lateral_first_0123456789abcdef");
    }

    private static void Execute(NpgsqlConnection connection, string sql)
    {
        using var command = new NpgsqlCommand(sql, connection);
        command.ExecuteNonQuery();
    }

    [GeneratedRegex("^lateral_[a-z0-9_]{1,55}$", RegexOptions.NonBacktracking | RegexOptions.ExplicitCapture)]
    internal static partial Regex SchemaName();
}
