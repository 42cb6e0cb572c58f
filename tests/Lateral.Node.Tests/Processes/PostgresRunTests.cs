using System.Text.Json;
using Lateral.Tests;

namespace Lateral.Node.Tests.Processes;

/// <summary>A real run on a real PostgreSQL server that dies under it: a short outage is waited for, a long one ends the run so that it can be resumed.</summary>
public sealed class PostgresRunTests : IDisposable
{
    private const int Steps = 150;

    // Long enough to lose its server in the middle, twice.
    private const string Conf = """
        include required("persistence/postgres.conf")
        run { steps = 150, seed = 11 }
        task { name = sort5 }
        reward.pools.answer { kind = sort }
        reward.on-constant = go-on
        warmup { steps = 10, batch = 32, lr = 3e-3 }
        model.size { width = 16, layers = 1, heads = 2, mlp = 32 }
        rollout { groups-per-step = 2, group-size = 4, gen-length = 5, steps = 3 }
        eval { every = 0, prompts = 16, final-prompts = 16, samples = 1 }
        checkpoint { every = 20, keep-last = 2 }
        """;

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [PostgresFact]
    public async Task Run_must_outlive_its_database_and_never_store_the_password()
    {
        await using var server = await PostgresServer.StartAsync();
        // The shipped overlay, and the server by the variable that it asks for.
        var shipped = Fixtures.Hocon(Path.Combine("persistence", "postgres.conf"));
        var conf = _folder.File("p.conf", Conf.Replace("persistence/postgres.conf", shipped, StringComparison.Ordinal));
        (string, string)[] environment = [("LATERAL_DB", server.ConnectionString), ("LATERAL_DB_PASSWORD", PostgresServer.Password)];
        var printed = "";

        using (var train = LateralProcess.Start(environment, "train", conf, "--name", "p", "--runs-dir", _folder.Path))
        {
            await train.UntilAsync(process => process.Output.Contains("step 5/", StringComparison.Ordinal));
            await server.KillAsync();
            var before = LastStep();
            await server.StartAgainAsync();
            await train.UntilAsync(_ => LastStep() > before + 10);
            await server.KillAsync();
            Assert.Equal(3, await train.ExitAsync());
            printed += train.Output;
            Assert.Contains($"the journal's database postgres at 127.0.0.1:{server.Port} cannot be used: nothing listens there - start PostgreSQL", train.Output, StringComparison.Ordinal);
            Assert.Contains("resume p", train.Output, StringComparison.Ordinal);
            Assert.DoesNotContain("   at ", train.Output, StringComparison.Ordinal);
        }

        var (away, said) = await LateralProcess.RunAsync(environment, "resume", "p", "--runs-dir", _folder.Path);
        Assert.Equal((3, true), (away, said.Contains("nothing listens there", StringComparison.Ordinal)));
        await server.StartAgainAsync();
        var (locked, asked) = await LateralProcess.RunAsync([], "resume", "p", "--runs-dir", _folder.Path);
        Assert.Equal((3, true), (locked, asked.Contains("set LATERAL_DB_PASSWORD", StringComparison.Ordinal)));
        var (done, resumed) = await LateralProcess.RunAsync(environment, "resume", "p", "--runs-dir", _folder.Path);
        Assert.True(done == 0, resumed);
        var (balanced, verified) = await LateralProcess.RunAsync(environment, "runs", "verify", "p", "--runs-dir", _folder.Path);
        Assert.True(balanced == 0 && verified.Contains($"version {Steps} of {Steps}, taken up again", StringComparison.Ordinal) && verified.Contains("\nbalanced", StringComparison.Ordinal), verified);
        Assert.Equal(Enumerable.Range(1, Steps), RecordedSteps());

        AssertSecret(printed + said + asked + resumed + verified);
        Assert.All(Directory.EnumerateFiles(_folder.Path, "*", SearchOption.AllDirectories), file => AssertSecret(File.ReadAllText(file)));
        Assert.False(File.Exists(Path.Combine(_folder.Path, "p", "journal.db")));
    }

    [Theory]
    [InlineData("journal.password = hunter2", "--set:1:20", "must come from the environment", "${?LATERAL_DB_PASSWORD}")]
    [InlineData("journal { kind = postgres }", "--set:1:18", "needs journal.connection-string", "Host=127.0.0.1")]
    [InlineData("journal.connection-string = \"Host=h;Database=d;Username=u;Password=hunter2\"", "--set:1:29", "must not hold the password", "${?LATERAL_DB_PASSWORD}")]
    [InlineData("journal.connection-string = \"Host=h;Database=d\"", "--set:1:29", "names no Username", "Host=127.0.0.1")]
    [InlineData("journal.connection-string = \"Hots=h\"", "--set:1:29", "is not an Npgsql connection string", "Host=127.0.0.1")]
    [InlineData("journal.kind = postgre", "--set:1:16", "must be one of sqlite, postgres", "did you mean postgres?")]
    public async Task Wrong_journal_must_be_told_without_repeating_a_password(string set, params string[] phrases)
    {
        var (code, _, error) = await Shell.RunAsync("config", "check", Fixtures.Hocon("quickstart.conf"), "--set", set);
        Assert.Equal(2, code);
        Assert.All(phrases, phrase => Assert.Contains(phrase, error, StringComparison.Ordinal));
        Assert.DoesNotContain("hunter2", error, StringComparison.Ordinal);
    }

    private static void AssertSecret(string text) => Assert.DoesNotContain(PostgresServer.Password, text, StringComparison.Ordinal);

    private int LastStep() => RecordedSteps().DefaultIfEmpty(0).Max();

    private List<int> RecordedSteps()
    {
        var metrics = Path.Combine(_folder.Path, "p", "metrics.jsonl");
        if (!File.Exists(metrics)) return [];
        // The last line may be half written.
        return [.. File.ReadAllText(metrics).Split('\n')[..^1].Select(line => JsonDocument.Parse(line).RootElement.GetProperty("step").GetInt32())];
    }
}
