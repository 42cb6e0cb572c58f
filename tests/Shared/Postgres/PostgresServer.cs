using Lateral.Actors.Hosting;

namespace Lateral.Tests;

/// <summary>A server for a test.</summary>
internal static class PostgresServer
{
    public const string Password = "pg-secret-7391";

    public static Task<TemporaryPostgres> StartAsync() => TemporaryPostgres.StartAsync(Password);
}

/// <summary>A fact that needs a PostgreSQL server; it is skipped, saying so, where none is installed.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class PostgresFactAttribute : FactAttribute
{
    public PostgresFactAttribute()
    {
        if (TemporaryPostgres.Programs is null) Skip = "needs PostgreSQL's initdb and postgres (apt-get install postgresql)";
    }
}
