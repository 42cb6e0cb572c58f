using System.Data.Common;
using System.Net.Sockets;
using Lateral.Core.Runs;
using Npgsql;

namespace Lateral.Actors;

/// <summary>The PostgreSQL server of <c>journal {}</c>, and what may be wrong with it: each failure names the setting that mends it, none the password.</summary>
public sealed class JournalServer
{
    /// <summary>Seconds until a server that does not answer counts as away.</summary>
    private const int Deadline = 5;

    private readonly NpgsqlConnectionStringBuilder _connection;

    public JournalServer(JournalSettings journal)
    {
        _connection = new NpgsqlConnectionStringBuilder(journal.ConnectionString) { Password = journal.Password?.Reveal(), Timeout = Deadline, ApplicationName = "lateral" };
        // A read of the whole journal is long; a silent server is noticed all the same.
        if (!_connection.ContainsKey("Keepalive")) _connection.KeepAlive = Deadline;
    }

    /// <summary>For messages: <c>database lateral at 127.0.0.1:5432</c>.</summary>
    public string Place => $"database {_connection.Database} at {_connection.Host}:{_connection.Port}";

    /// <summary>With the password: for the drivers, never for a message or a file.</summary>
    internal string ConnectionString => _connection.ToString();

    /// <summary>Asks a configured server for its version; nothing is changed. Null where the journal needs no server.</summary>
    /// <exception cref="RunHostException">it cannot be reached or refuses</exception>
    public static string? Reach(JournalSettings journal)
    {
        if (journal.Kind != "postgres") return null;
        var server = new JournalServer(journal);
        try
        {
            using var connection = server.Open();
            return $"{server.Place}, PostgreSQL {connection.PostgreSqlVersion}";
        }
        catch (DbException failure)
        {
            throw server.Explain(failure);
        }
    }

    internal NpgsqlConnection Open()
    {
        // Without a pool: a question is asked once, and a server that was away is met anew.
        var connection = new NpgsqlConnection(new NpgsqlConnectionStringBuilder(ConnectionString) { Pooling = false }.ToString());
        try
        {
            connection.Open();
            return connection;
        }
        catch
        {
            connection.Dispose();
            throw;
        }
    }

    internal RunHostException Explain(DbException failure) => new($"the journal's {Place} cannot be used: {Reason(failure)}", failure);

    private string Reason(DbException failure) => failure switch
    {
        PostgresException { SqlState: PostgresErrorCodes.InvalidPassword } => $"it refuses the password of {_connection.Username} - set LATERAL_DB_PASSWORD, which journal.password reads, to the right one",
        PostgresException { SqlState: PostgresErrorCodes.InvalidAuthorizationSpecification } refused => $"it lets {_connection.Username} not in ({refused.MessageText}) - check Username in journal.connection-string, and the server's pg_hba.conf",
        PostgresException { SqlState: PostgresErrorCodes.InvalidCatalogName } => $"there is no such database - run createdb {_connection.Database}, or change Database in journal.connection-string",
        PostgresException { SqlState: PostgresErrorCodes.InsufficientPrivilege } => $"{_connection.Username} may not create a schema there - run GRANT CREATE ON DATABASE {_connection.Database} TO {_connection.Username}",
        PostgresException { SqlState: PostgresErrorCodes.CannotConnectNow } refused => $"{refused.MessageText} - try again in a moment",
        PostgresException { SqlState: PostgresErrorCodes.TooManyConnections } => "it has no connection left - raise max_connections, or end what uses it",
        PostgresException refused => $"{refused.MessageText} ({refused.SqlState})",
        _ when failure.GetBaseException() is SocketException socket => Unreachable(socket),
        _ when failure.GetBaseException() is TimeoutException => $"no answer within {Deadline} s - is that a PostgreSQL server? check Host and Port in journal.connection-string",
        _ when failure.Message.Contains("password", StringComparison.OrdinalIgnoreCase) => $"it asks for a password and there is none - set LATERAL_DB_PASSWORD, and journal.password = ${{?LATERAL_DB_PASSWORD}} as in hocon/persistence/postgres.conf",
        _ => failure.GetBaseException().Message,
    };

    private static string Unreachable(SocketException socket) => socket.SocketErrorCode switch
    {
        SocketError.ConnectionRefused => "nothing listens there - start PostgreSQL, or change Host and Port in journal.connection-string",
        SocketError.HostNotFound or SocketError.TryAgain or SocketError.NoData => "there is no such host - change Host in journal.connection-string",
        _ => $"{socket.Message} - check Host and Port in journal.connection-string, and the network",
    };
}
