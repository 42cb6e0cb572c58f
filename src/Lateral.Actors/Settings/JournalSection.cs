using Lateral.Actors.Hosting;
using Lateral.Configuration;
using Lateral.Core.Runs;
using Npgsql;

namespace Lateral.Actors.Settings;

/// <summary>
/// <c>journal {}</c>: where the run's events are kept. The connection string is stored with the run, so it may not hold
/// the password; the password comes from the environment at every start, so it is stored nowhere.
/// </summary>
internal static class JournalSection
{
    private const string Advice = "write password = ${?LATERAL_DB_PASSWORD} and set that variable";

    public static IReadOnlyCollection<string> Kinds { get; } = ["sqlite", "postgres"];

    public static JournalSettings Read(ConfigReader journal)
    {
        var (kind, connection, password) = (journal.OneOf("kind", Kinds), journal.OptionalString("connection-string"), journal.OptionalString("password"));
        if (connection is not null) CheckConnection(journal, connection);
        if (password is not null && journal.OriginOf("password").Variable is null)
            journal.Error("password", $"must come from the environment: a run directory keeps its configuration - {Advice}");
        if (kind == "postgres" && connection is null)
            journal.Error("kind", "= postgres needs journal.connection-string - write connection-string = \"Host=127.0.0.1;Database=lateral;Username=lateral\"");
        var schema = journal.OptionalString("schema");
        if (schema is not null && !PostgresJournal.SchemaName().IsMatch(schema))
            journal.Error("schema", $"= {schema}: must be lateral_ and up to 55 lower-case letters, digits and underscores - write schema = lateral_first");
        var (directory, every) = (journal.OptionalString("dir"), journal.Duration("backup-every", TimeSpan.FromSeconds(1), TimeSpan.FromHours(24)));
        if (directory is not null && kind != "sqlite") journal.Error("dir", $"= {directory}: it is for the files of kind = sqlite, and with kind = {kind} the server keeps the journal - write dir = null");
        else if (directory is not null && !Path.IsPathFullyQualified(directory)) journal.Error("dir", $"= {directory}: must be an absolute path, because a resume may start in another folder - write dir = /var/lib/lateral");
        return new JournalSettings(kind, connection, password is null ? null : new Secret(password)) { Schema = schema, Directory = directory, BackupEvery = every };
    }

    private static void CheckConnection(ConfigReader journal, string connection)
    {
        try
        {
            var parts = new NpgsqlConnectionStringBuilder(connection);
            if (!string.IsNullOrEmpty(parts.Password)) journal.Error("connection-string", $"must not hold the password: it is stored with the run - {Advice}");
            foreach (var (name, value) in new[] { ("Host", parts.Host), ("Database", parts.Database), ("Username", parts.Username) })
                if (string.IsNullOrEmpty(value)) journal.Error("connection-string", $"names no {name} - write \"Host=127.0.0.1;Database=lateral;Username=lateral\"");
        }
        catch (Exception mistake) when (mistake is ArgumentException or FormatException or InvalidCastException)
        {
            // Npgsql names the keyword, never its value.
            journal.Error("connection-string", $"is not an Npgsql connection string: {mistake.Message} - write \"Host=127.0.0.1;Database=lateral;Username=lateral\"");
        }
    }
}
