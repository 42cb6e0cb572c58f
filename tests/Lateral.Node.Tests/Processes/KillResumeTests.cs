using System.Security.Cryptography;
using System.Text.Json;
using Lateral.Core;
using Microsoft.Data.Sqlite;

namespace Lateral.Node.Tests.Processes;

/// <summary>
/// Real processes, killed with SIGKILL: a resumed deterministic run is bit for bit the run that did not crash, samples
/// nothing again that was journaled, and its ledger balances after every kill.
/// </summary>
public sealed class KillResumeTests(KillResumeTests.Uninterrupted whole) : IClassFixture<KillResumeTests.Uninterrupted>, IDisposable
{
    private const int Steps = 6;

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

    [LinuxTheory]
    [InlineData("after-optim")]
    [InlineData("mid-save")]
    [InlineData("before-commit")]
    [InlineData("after-commit")]
    public async Task Learner_killed_at_its_worst_moment_must_end_the_same_and_leave_nothing_half_written(string place)
    {
        var failpoints = Directory.CreateDirectory(Path.Combine(_runs, "failpoints")).FullName;
        using (var process = Train(_runs, (Failpoint.Variable, failpoints)))
        {
            await process.UntilAsync(p => p.Output.Contains("step 2/", StringComparison.Ordinal));
            File.WriteAllText(Path.Combine(_runs, place), "kill");
            File.Move(Path.Combine(_runs, place), Path.Combine(failpoints, place));
            Assert.Equal(128 + 9, await process.ExitAsync());
        }

        Assert.True(File.Exists(Path.Combine(failpoints, place + Failpoint.Taken)));
        await VerifyAsync();
        var (code, output) = await LateralProcess.RunAsync("resume", "k", "--runs-dir", _runs);
        Assert.True(code == 0, output);
        await VerifyAsync();
        Assert.Equal(whole.Weights, Weights(_runs));
        Assert.Equal(Enumerable.Range(1, Steps), RecordedSteps());
        Assert.Empty(Directory.EnumerateFileSystemEntries(Run(""), ".*", SearchOption.AllDirectories));
    }

    [Fact]
    public async Task Interrupted_run_must_save_itself_say_how_to_resume_and_end_the_same()
    {
        using (var process = Train(_runs))
        {
            await process.UntilAsync(p => p.Output.Contains("step 2/", StringComparison.Ordinal));
            using var signal = System.Diagnostics.Process.Start("kill", ["-TERM", $"{process.Pid}"]);
            Assert.Equal(5, await process.ExitAsync());
            Assert.Contains("resume k", process.Output, StringComparison.Ordinal);
        }

        var (code, output) = await LateralProcess.RunAsync("resume", "k", "--runs-dir", _runs);
        Assert.True(code == 0, output);
        await VerifyAsync();
        Assert.Equal(whole.Weights, Weights(_runs));
        Assert.Equal(Enumerable.Range(1, Steps), RecordedSteps());
    }

    [Fact]
    public async Task Run_whose_newest_checkpoint_was_damaged_must_go_on_from_the_one_before_it_and_end_the_same()
    {
        using (var process = Train(_runs))
        {
            // Saved at every second step: by step 5 there is a checkpoint of step 4, and the journal knows it.
            await process.UntilAsync(p => p.Output.Contains("step 5/", StringComparison.Ordinal));
            await process.KillAsync();
        }

        var newest = Directory.GetDirectories(Run("checkpoints"), "step_*").MaxBy(path => int.Parse(Path.GetFileName(path)["step_".Length..], System.Globalization.CultureInfo.InvariantCulture))!;
        var file = Path.Combine(newest, "model.safetensors");
        var bytes = await File.ReadAllBytesAsync(file);
        bytes[bytes.Length / 2] ^= 0x10;
        await File.WriteAllBytesAsync(file, bytes);
        var (code, output) = await LateralProcess.RunAsync("resume", "k", "--runs-dir", _runs);
        Assert.True(code == 0, output);
        await VerifyAsync();
        Assert.Equal(whole.Weights, Weights(_runs));
        Assert.Equal(Enumerable.Range(1, Steps), RecordedSteps());
    }

    [Fact]
    public async Task Value_model_must_be_resumed_with_the_policy_to_the_bit()
    {
        const string critic = "algorithm { advantage = value-gae, critic.lr = 5e-3 }";
        string[] files = ["model.safetensors", "critic.safetensors", "critic-optimizer.safetensors"];
        var expected = Directory.CreateDirectory(Path.Combine(_runs, "whole")).FullName;
        using (var undisturbed = Train(expected, critic)) Assert.True(await undisturbed.ExitAsync() == 0, undisturbed.Output);
        using (var process = Train(_runs, critic))
        {
            await process.UntilAsync(p => p.Output.Contains("step 4/", StringComparison.Ordinal));
            await process.KillAsync();
        }

        var (code, output) = await LateralProcess.RunAsync("resume", "k", "--runs-dir", _runs);
        Assert.True(code == 0, output);
        await VerifyAsync();
        Assert.All(files, file => Assert.Equal(Weights(expected, file: file), Weights(_runs, file: file)));
        Assert.NotEqual(Weights(expected, 0, "critic.safetensors"), Weights(expected, file: "critic.safetensors"));
    }

    private static LateralProcess Train(string runs, params (string, string)[] environment) => Train(runs, "", environment);

    private static LateralProcess Train(string runs, string settings, params (string, string)[] environment)
    {
        var conf = Path.Combine(runs, "kill.conf");
        File.WriteAllText(conf, $"{DeterministicRun.Conf($"steps = {Steps}")}\n{settings}");
        return LateralProcess.Start(environment, "train", conf, "--name", "k", "--runs-dir", runs);
    }

    private bool Reached(Moment moment, LateralProcess process) => moment switch
    {
        Moment.InWarmup => process.Output.Contains("warm-up", StringComparison.Ordinal),
        Moment.AfterBase => process.Output.Contains("evaluation at step 0", StringComparison.Ordinal),
        // Of whichever step: a process that has been killed at a moment that was over goes on behind the first.
        Moment.InTheMiddleOfAGroup => process.Output.Contains($"/{Steps}  reward", StringComparison.Ordinal) && PartlySampledGroups() > 0,
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

    private static string Weights(string runs, int step = Steps, string file = "model.safetensors") =>
        Convert.ToHexString(SHA256.HashData(File.ReadAllBytes(Path.Combine(runs, "k", "checkpoints", $"step_{step}", file))));

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
            Assert.NotEqual(KillResumeTests.Weights(_runs, 0), Weights);
        }

        public Task DisposeAsync()
        {
            Directory.Delete(_runs, recursive: true);
            return Task.CompletedTask;
        }
    }
}
