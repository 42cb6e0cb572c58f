using System.Globalization;
using System.Text.Json;
using Microsoft.Data.Sqlite;

namespace Lateral.Node.Tests;

/// <summary><c>runs replay</c>: the weights follow from the journal, and a journal that says otherwise is found out.</summary>
[Collection(TrainedRunTests.Name)]
public sealed class LearnerReplayTests(TrainedRun trained) : IDisposable
{
    private readonly TemporaryFolder _folder = trained.Copy();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Every_journaled_step_must_come_out_with_the_published_weights()
    {
        var before = Files();
        var (code, output, error) = await ReplayAsync();
        Assert.True(code == 0, output + error);
        Assert.Equal(4, output.Split('\n').Count(line => line.Contains("  same  ", StringComparison.Ordinal)));
        Assert.Contains("4 steps trained again, every one to the same weights", output, StringComparison.Ordinal);
        // The run directory is only read.
        Assert.Equal(before, Files());
    }

    [Fact]
    public async Task Replay_must_end_where_it_is_told_and_know_which_steps_there_are()
    {
        var (code, output, _) = await ReplayAsync("--until", "2", "--json");
        Assert.Equal(0, code);
        Assert.Equal([1, 2], output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => JsonElement.Parse(line).GetProperty("step").GetInt32()));
        var (refused, _, error) = await ReplayAsync("--until", "9");
        Assert.Equal(2, refused);
        Assert.Contains("--until 9: the journal of 'first' has steps 1 to 4", error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Other_settings_of_the_learner_must_give_other_weights_from_the_same_rollouts()
    {
        var (code, output, error) = await ReplayAsync("--set", "algorithm.correction = none", "--set", "algorithm.lr = 1e-2", "--json");
        Assert.True(code == 0, output + error);
        var lines = output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => JsonElement.Parse(line)).ToList();
        Assert.Equal([false, false, false, false], lines[..^1].Select(line => line.GetProperty("same").GetBoolean()));
        // The first step's gradient is that of the same weights over the same rollouts: on policy both corrections have it.
        var first = new[] { "journaled", "replayed" }.Select(which => lines[0].GetProperty(which).GetProperty("metrics")).ToList();
        Assert.Equal(first[0].GetProperty("optim/grad_norm").GetDouble(), first[1].GetProperty("optim/grad_norm").GetDouble(), 1e-5);
        Assert.Equal(10, first[1].GetProperty("optim/lr").GetDouble() / first[0].GetProperty("optim/lr").GetDouble(), 6);
        Assert.InRange(lines[^1].GetProperty("metrics").GetProperty("eval/pass_at_1").GetDouble(), 0, 1);
    }

    [Fact]
    public async Task What_would_change_the_rollouts_themselves_must_be_refused()
    {
        var (code, _, error) = await ReplayAsync("--set", "rollout.temperature = 0.5");
        Assert.Equal(2, code);
        Assert.Contains("a replay cannot change rollout.temperature: the rollouts are as they were sampled", error, StringComparison.Ordinal);
        var (unknown, _, advice) = await ReplayAsync("--algorithm", "grop");
        Assert.Equal(2, unknown);
        Assert.Contains("algorithm.name must be one of", advice, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Group_that_was_changed_in_the_journal_must_be_found()
    {
        using (var journal = new SqliteConnection($"Data Source={Path.Combine(_folder.Path, "runs", TrainedRun.Name, "journal.db")};Pooling=False"))
        {
            journal.Open();
            using var command = journal.CreateCommand();
            command.CommandText = "DELETE FROM journal WHERE persistence_id = 'group-first-5' AND sequence_number = (SELECT MAX(sequence_number) FROM journal WHERE persistence_id = 'group-first-5')";
            Assert.Equal(1, command.ExecuteNonQuery());
        }

        var (code, output, error) = await ReplayAsync();
        Assert.Equal(1, code);
        Assert.Contains("step 1  same", output, StringComparison.Ordinal);
        Assert.Contains("group 5 is not in the journal as it was trained", error, StringComparison.Ordinal);
        Assert.Equal(1, (await Shell.RunAsync("runs", "verify", TrainedRun.Name, "--runs-dir", Path.Combine(_folder.Path, "runs"))).Code);
    }

    private Task<(int Code, string Output, string Error)> ReplayAsync(params string[] options) =>
        Shell.RunAsync(["runs", "replay", TrainedRun.Name, "--runs-dir", Path.Combine(_folder.Path, "runs"), .. options]);

    private List<string> Files() =>
    [
        .. Directory.EnumerateFiles(Path.Combine(_folder.Path, "runs"), "*", SearchOption.AllDirectories).Where(path => !path.EndsWith("-shm", StringComparison.Ordinal) && !path.EndsWith("-wal", StringComparison.Ordinal))
            .Order(StringComparer.Ordinal).Select(path => $"{path} {File.GetLastWriteTimeUtc(path).ToString("O", CultureInfo.InvariantCulture)}"),
    ];
}
