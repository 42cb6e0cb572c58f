using Lateral.Node.Runs;

namespace Lateral.Node.Tests.Processes;

/// <summary>The coordinator's disk is lost: the run goes on from the journal's copy, though its checkpoints and policies were ahead of that.</summary>
public sealed class LostJournalTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    private string Runs => Path.Combine(_folder.Path, "runs");

    private string Disk => Path.Combine(_folder.Path, "disk");

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Run_must_go_on_from_an_older_copy_of_its_journal_and_balance()
    {
        var conf = _folder.File("first.conf", TrainedRun.Conf.Replace("every = 1, keep-last = 10", "every = 1, keep-last = 1", StringComparison.Ordinal) + $"\njournal {{ dir = \"{Disk}\", backup-every = 24h }}\n");
        await SucceedAsync("train", conf);
        // A copy is made when a process starts and when it ends: this one is killed, so that the copy ends after step 4.
        using (var process = LateralProcess.Start([("LATERAL_TEST_SECRET", "hush-hush")], "resume", "first", "--runs-dir", Runs, "--set", "run.steps = 12"))
        {
            await process.UntilAsync(p => p.Output.Contains("step 9/", StringComparison.Ordinal));
            await process.KillAsync();
        }

        var run = new RunDirectory(Path.Combine(Runs, "first"));
        // Two are kept, and those that the copy's ledger would go on from.
        Assert.False(Directory.Exists(Path.Combine(run.Checkpoints, "step_5")));
        foreach (var step in new[] { 3, 4 }) Assert.True(Directory.Exists(Path.Combine(run.Checkpoints, $"step_{step}")));
        Assert.True(File.Exists(Path.Combine(run.Policies, "v4.safetensors")));
        Assert.True(JsonLinesFile.Read(run.Metrics).Count() >= 8);
        Directory.Delete(Disk, recursive: true);

        var (code, output) = await LateralAsync("resume", "first");
        Assert.Equal(3, code);
        Assert.Matches(@"journal-backup\.db is of .* old\) and ends after step 4: .* lateral resume first --from-backup", output);
        Assert.DoesNotContain("what was journaled is safe", output, StringComparison.Ordinal);
        Assert.Contains("and ends after step 4", await SucceedAsync("resume", "first", "--from-backup"), StringComparison.Ordinal);
        Assert.Contains("balanced", await SucceedAsync("runs", "verify", "first"), StringComparison.Ordinal);
        Assert.Contains("12 steps trained again, every one to the same weights", await SucceedAsync("runs", "replay", "first"), StringComparison.Ordinal);
        Assert.Equal(Enumerable.Range(1, 12), JsonLinesFile.Read(run.Metrics).Select(line => line.GetProperty("step").GetInt32()));
        Assert.Equal(16, JsonLinesFile.Read(Path.Combine(run.Rollouts, "step_7.jsonl")).Count());

        var (again, refusal) = await LateralAsync("resume", "first", "--from-backup");
        Assert.True(again == 3 && refusal.Contains("has its journal", StringComparison.Ordinal), refusal);
        // Without its directory the run's journal is nobody's, and a new run does not take it up.
        Directory.Delete(run.Root, recursive: true);
        var (taken, reason) = await LateralAsync("train", conf);
        Assert.True(taken == 3 && reason.Contains("there is a journal of an earlier run", StringComparison.Ordinal), reason);
    }

    private async Task<string> SucceedAsync(params string[] arguments)
    {
        var (code, output) = await LateralAsync(arguments);
        Assert.True(code == 0, output);
        return output;
    }

    private Task<(int ExitCode, string Output)> LateralAsync(params string[] arguments) =>
        LateralProcess.RunAsync([("LATERAL_TEST_SECRET", "hush-hush")], [.. arguments, "--runs-dir", Runs]);
}
