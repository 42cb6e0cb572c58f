using System.Security.Cryptography;
using System.Text.Json;
using Microsoft.Data.Sqlite;

namespace Lateral.Node.Tests.Processes;

/// <summary>
/// Real processes, killed with SIGKILL: a resumed deterministic run is bit for bit the run that did not crash, samples
/// nothing again that was journaled, and its ledger balances after every kill.
/// </summary>
public sealed class KillResumeTests(KillResumeTests.Uninterrupted whole) : IClassFixture<KillResumeTests.Uninterrupted>, IDisposable
{
    private const int Steps = 6;

    // Four slots for groups of twelve: a group is in the middle of being sampled most of the time.
    private const string Conf = """
        run { steps = 6, seed = 11 }
        task { name = sort5 }
        reward.pools.answer { kind = sort }
        warmup { steps = 30, batch = 64, lr = 3e-3 }
        model.size { width = 32, layers = 2, heads = 2, mlp = 64 }
        rollout { groups-per-step = 4, group-size = 12, gen-length = 5, block-length = 5, steps = 3 }
        algorithm { advantage = group-z, lr = 1e-3 }
        staleness.max-versions = 1
        deterministic = on
        topology.roles.sampler.slots = 4
        eval { every = 0, prompts = 16, final-prompts = 32, samples = 2 }
        checkpoint { every = 2, keep-last = 3 }
        """;

    private readonly string _runs = Directory.CreateTempSubdirectory("lateral-kill-").FullName;

    public enum Moment
    {
        InWarmup,
        AfterBase,
        InTheMiddleOfAGroup,
        AfterAStep,
        AtACheckpoint,
    }

    public void Dispose() => Directory.Delete(_runs, recursive: true);

    [Theory]
    [InlineData(Moment.InWarmup)]
    [InlineData(Moment.AfterBase)]
    [InlineData(Moment.InTheMiddleOfAGroup)]
    [InlineData(Moment.AfterAStep)]
    [InlineData(Moment.AtACheckpoint)]
    public async Task Killed_and_resumed_run_must_end_bit_for_bit_like_the_uninterrupted_one(Moment moment)
    {
        var killed = false;
        for (var start = 0; ; start++)
        {
            using var process = start == 0 ? Train(_runs) : LateralProcess.Start("resume", "k", "--runs-dir", _runs);
            if (killed)
            {
                Assert.True(await process.ExitAsync() == 0, process.Output);
                break;
            }

            Assert.True(start < 20, $"no kill fell {moment}");
            await process.UntilAsync(p => Reached(moment, p));
            await process.KillAsync();
            if (moment != Moment.InWarmup) await VerifyAsync();
            // The moment may be over by the time the signal arrives; then the run goes on and is killed again.
            killed = moment != Moment.InTheMiddleOfAGroup || PartlySampledGroups() > 0;
        }

        await VerifyAsync();
        Assert.Equal(whole.Weights, Weights(_runs));
        Assert.Equal(Enumerable.Range(1, Steps), RecordedSteps());
    }

    [Fact]
    public async Task Interrupted_run_must_save_itself_say_how_to_resume_and_end_the_same()
    {
        using (var process = Train(_runs))
        {
            await process.UntilAsync(p => p.Output.Contains("step 2/", StringComparison.Ordinal));
            using var signal = System.Diagnostics.Process.Start("kill", ["-INT", $"{process.Pid}"]);
            Assert.Equal(5, await process.ExitAsync());
            Assert.Contains("resume k", process.Output, StringComparison.Ordinal);
        }

        var (code, output) = await LateralProcess.RunAsync("resume", "k", "--runs-dir", _runs);
        Assert.True(code == 0, output);
        await VerifyAsync();
        Assert.Equal(whole.Weights, Weights(_runs));
        Assert.Equal(Enumerable.Range(1, Steps), RecordedSteps());
    }

    private static LateralProcess Train(string runs)
    {
        var conf = Path.Combine(runs, "kill.conf");
        File.WriteAllText(conf, Conf);
        return LateralProcess.Start("train", conf, "--name", "k", "--runs-dir", runs);
    }

    private bool Reached(Moment moment, LateralProcess process) => moment switch
    {
        Moment.InWarmup => process.Output.Contains("warm-up", StringComparison.Ordinal),
        Moment.AfterBase => process.Output.Contains("evaluation at step 0", StringComparison.Ordinal),
        Moment.InTheMiddleOfAGroup => process.Output.Contains("step 1/", StringComparison.Ordinal) && PartlySampledGroups() > 0,
        Moment.AfterAStep => process.Output.Contains("step 3/", StringComparison.Ordinal),
        Moment.AtACheckpoint => Directory.Exists(Run("checkpoints")) && Directory.GetDirectories(Run("checkpoints")).Length > 1,
        _ => throw new ArgumentOutOfRangeException(nameof(moment)),
    };

    /// <summary>Groups whose journal holds some siblings and no reward of the last ones.</summary>
    private int PartlySampledGroups()
    {
        if (!File.Exists(Run("journal.db"))) return 0;
        using var connection = new SqliteConnection($"Data Source={Run("journal.db")};Mode=ReadOnly;Pooling=False");
        connection.Open();
        using var command = connection.CreateCommand();
        command.CommandText = """
            SELECT COUNT(*) FROM (SELECT persistence_id, SUM(manifest = 'tr1') AS sampled, SUM(manifest = 'rw1') AS scored
              FROM journal WHERE persistence_id LIKE 'group-k-%' GROUP BY persistence_id)
            WHERE sampled BETWEEN 1 AND 2
            """;
        return Convert.ToInt32(command.ExecuteScalar(), System.Globalization.CultureInfo.InvariantCulture);
    }

    private async Task VerifyAsync()
    {
        var (code, output) = await LateralProcess.RunAsync("runs", "verify", "k", "--runs-dir", _runs);
        Assert.True(code == 0, output);
    }

    private IEnumerable<int> RecordedSteps() =>
        File.ReadAllLines(Run("metrics.jsonl")).Select(line => JsonDocument.Parse(line).RootElement.GetProperty("step").GetInt32());

    private string Run(string file) => Path.Combine(_runs, "k", file);

    private static string Weights(string runs) =>
        Convert.ToHexString(SHA256.HashData(File.ReadAllBytes(Path.Combine(runs, "k", "checkpoints", $"step_{Steps}", "model.safetensors"))));

    /// <summary>The run that nothing interrupts, once for all tests.</summary>
    public sealed class Uninterrupted : IAsyncLifetime
    {
        private readonly string _runs = Directory.CreateTempSubdirectory("lateral-whole-").FullName;

        public string Weights { get; private set; } = "";

        public async Task InitializeAsync()
        {
            using var process = Train(_runs);
            Assert.True(await process.ExitAsync() == 0, process.Output);
            Weights = KillResumeTests.Weights(_runs);
        }

        public Task DisposeAsync()
        {
            Directory.Delete(_runs, recursive: true);
            return Task.CompletedTask;
        }
    }
}
