using System.Net;
using System.Net.Sockets;
using Lateral.Actors.Hosting;
using Lateral.Core.Runs;
using Lateral.Tests;

namespace Lateral.Actors.Tests;

/// <summary>The journal on a real PostgreSQL server, which all facts of this class share.</summary>
public sealed class PostgresJournalSpecs(PostgresJournalSpecs.Database database) : IClassFixture<PostgresJournalSpecs.Database>, IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("lateral-journal-").FullName;

    private JournalSettings Server => new("postgres", database.Server!.ConnectionString, new Secret(PostgresServer.Password));

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [PostgresFact]
    public async Task Two_runs_of_one_name_must_share_a_database_without_meeting()
    {
        var (first, second) = (Settings("first", steps: 3), Settings("second", steps: 5));
        Assert.Equal((3, 9L), await RunToEnd(first));
        Assert.Equal((5, 15L), await RunToEnd(second));
        Assert.Equal(3, JournalAudit.Run(first).Ledger.Version);
        Assert.Equal(5, JournalAudit.Run(second).Ledger.Version);
    }

    [PostgresFact]
    public async Task Run_that_is_taken_up_again_must_go_on_where_its_journal_ends()
    {
        var settings = Settings("run", steps: 1000);
        var engines = new TestEngines();
        var host = await RunHost.StartAsync(settings, engines.ToRunEngines());
        using (var deadline = new CancellationTokenSource(TimeSpan.FromSeconds(60)))
            while (engines.Batches.Count < 2) await Task.Delay(20, deadline.Token);
        var stopped = (await host.StopAsync())!.Value;
        var shorter = settings with { Steps = stopped + 2 };
        Assert.Equal(stopped + 2, (await RunToEnd(shorter, engines)).Version);
        var audit = JournalAudit.Run(shorter);
        Assert.Empty(audit.Violations);
        Assert.Equal(1, audit.Balance.Interruptions);
        // What was on its way to the journal when the run stopped may be sampled again, what had been trained may not.
        var trained = engines.Batches.Where(batch => batch.Step <= stopped).SelectMany(batch => batch.Groups).SelectMany(group => group.Siblings).Select(sibling => sibling.Trajectory.Id).Distinct().ToList();
        Assert.NotEmpty(trained);
        Assert.All(trained, id => Assert.Single(engines.Sampled, id));
    }

    [PostgresFact]
    public async Task Coordinators_given_one_schema_must_find_the_same_journal_and_other_runs_be_refused()
    {
        var schema = Server with { Schema = "lateral_standby" };
        var (first, second) = (Settings("here", steps: 3) with { Journal = schema }, Settings("there", steps: 5) with { Journal = schema });
        var engines = new TestEngines();
        Assert.Equal((3, 9L), await RunToEnd(first, engines));
        Assert.Equal((5, 15L), await RunToEnd(second, engines));
        Assert.Equal("lateral_standby\n", File.ReadAllText(Path.Combine(second.Directory, "journal.id")));
        Assert.Equal(5, JournalAudit.Run(first).Ledger.Version);
        var other = Settings("other", steps: 3) with { Name = "other", Journal = schema };
        var refused = await Assert.ThrowsAsync<RunHostException>(() => RunToEnd(other));
        Assert.Matches("^journal.schema = lateral_standby at database .* holds the journal of run test, and this is run other - give each run a schema of its own$", refused.Message);
        Assert.False(File.Exists(Path.Combine(other.Directory, "journal.id")));
    }

    [PostgresFact]
    public void Run_whose_schema_is_gone_must_be_refused_instead_of_started_anew()
    {
        var settings = Settings("lost", steps: 3);
        Assert.StartsWith("no journal: ", Assert.Throws<RunHostException>(() => JournalAudit.Run(settings)).Message, StringComparison.Ordinal);
        File.WriteAllText(Path.Combine(settings.Directory, "journal.id"), "lateral_lost_0123456789abcdef\n");
        var error = Assert.Throws<RunHostException>(() => JournalAudit.Run(settings)).Message;
        Assert.Contains("has no schema lateral_lost_0123456789abcdef", error, StringComparison.Ordinal);
        Assert.Contains("set journal.connection-string", error, StringComparison.Ordinal);
        File.WriteAllText(Path.Combine(settings.Directory, "journal.id"), "public; DROP TABLE x\n");
        Assert.Contains("names no schema", Assert.Throws<RunHostException>(() => JournalAudit.Run(settings)).Message, StringComparison.Ordinal);
    }

    [PostgresFact]
    public void Failure_must_name_its_cause_and_the_setting_that_mends_it()
    {
        Assert.StartsWith($"database postgres at 127.0.0.1:{database.Server!.Port}, PostgreSQL ", JournalServer.Reach(Server), StringComparison.Ordinal);
        Assert.Null(JournalServer.Reach(new JournalSettings("sqlite")));
        AssertRefused(Server with { Password = new Secret("wrong-secret-18") }, "it refuses the password of lateral", "set LATERAL_DB_PASSWORD");
        AssertRefused(Server with { Password = null }, "it asks for a password and there is none", "set LATERAL_DB_PASSWORD");
        AssertRefused(Server with { ConnectionString = Server.ConnectionString!.Replace("Database=postgres", "Database=nowhere", StringComparison.Ordinal) }, "there is no such database", "createdb nowhere");
        AssertRefused(Server with { ConnectionString = "Host=host.invalid;Database=x;Username=lateral" }, "host.invalid", "change Host in journal.connection-string");
    }

    [Fact]
    public void Server_that_is_away_or_silent_must_be_told_apart_within_seconds()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var port = ((IPEndPoint)listener.LocalEndpoint).Port;
        var settings = new JournalSettings("postgres", $"Host=127.0.0.1;Port={port};Database=x;Username=lateral", new Secret(PostgresServer.Password));
        var clock = System.Diagnostics.Stopwatch.StartNew();
        AssertRefused(settings, $"database x at 127.0.0.1:{port}", "no answer within 5 s", "check Host and Port in journal.connection-string");
        Assert.True(clock.Elapsed < TimeSpan.FromSeconds(30), $"took {clock.Elapsed}");
        listener.Stop();
        AssertRefused(settings, "nothing listens there", "start PostgreSQL, or change Host and Port in journal.connection-string");
    }

    private static void AssertRefused(JournalSettings settings, params string[] phrases)
    {
        var error = Assert.Throws<RunHostException>(() => JournalServer.Reach(settings)).Message;
        Assert.All(phrases, phrase => Assert.Contains(phrase, error, StringComparison.Ordinal));
        Assert.DoesNotContain("-secret-", error, StringComparison.Ordinal);
    }

    private RunSettings Settings(string folder, int steps) =>
        TestEngines.Settings(Directory.CreateDirectory(Path.Combine(_folder, folder)).FullName, steps) with { Journal = Server };

    private static async Task<(int Version, long Trained)> RunToEnd(RunSettings settings, TestEngines? engines = null)
    {
        await using var host = await RunHost.StartAsync(settings, (engines ?? new TestEngines()).ToRunEngines());
        await host.Completion.WaitAsync(TimeSpan.FromSeconds(60));
        var audit = JournalAudit.Run(settings);
        Assert.Empty(audit.Violations);
        return (audit.Ledger.Version, audit.Ledger.Trained);
    }

    /// <summary>One server for the class; none where PostgreSQL is not installed.</summary>
    public sealed class Database : IAsyncLifetime
    {
        internal TemporaryPostgres? Server { get; private set; }

        public async Task InitializeAsync()
        {
            if (TemporaryPostgres.Programs is not null) Server = await PostgresServer.StartAsync();
        }

        public async Task DisposeAsync()
        {
            if (Server is not null) await Server.DisposeAsync();
        }
    }
}
