using System.Net;
using System.Net.Sockets;
using System.Text.Json;
using Lateral.Node.Runs;

namespace Lateral.Node.Tests;

/// <summary>Every mistake ends in one clear message, no stack trace, and the exit code that says whose move it is.</summary>
public sealed class CommandLineTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    private string Runs => Path.Combine(_folder.Path, "runs");

    [Fact]
    public async Task Unknown_key_must_be_named_with_file_line_and_the_likely_intent()
    {
        var conf = _folder.File("typo.conf", "include \"" + Fixtures.Hocon("quickstart.conf") + "\"\nrollout.gruop-size = 8\nalgoritm.lr = 1\n");
        var (code, _, error) = await Shell.RunAsync("train", conf, "--runs-dir", Runs);
        Assert.Equal(2, code);
        Assert.Contains("typo.conf:2", error, StringComparison.Ordinal);
        Assert.Contains("did you mean rollout.group-size?", error, StringComparison.Ordinal);
        Assert.Contains("typo.conf:3", error, StringComparison.Ordinal);
        AssertOneMessage(error);
    }

    [Fact]
    public async Task No_argument_must_say_what_to_do_first()
    {
        var (code, output, _) = await Shell.RunAsync();
        Assert.Equal(0, code);
        Assert.Matches("first .* init ", output);
        Assert.Contains("train quickstart.conf", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Missing_file_must_be_named()
    {
        var (code, _, error) = await Shell.RunAsync("train", Path.Combine(_folder.Path, "nowhere.conf"), "--runs-dir", Runs);
        Assert.Equal(2, code);
        Assert.Contains("nowhere.conf", error, StringComparison.Ordinal);
        AssertOneMessage(error);
    }

    [Fact]
    public async Task Wrong_type_must_name_key_value_and_place()
    {
        var (code, _, error) = await Shell.RunAsync("train", Fixtures.Hocon("quickstart.conf"), "--set", "staleness.max-versions = two", "--runs-dir", Runs);
        Assert.Equal(2, code);
        Assert.Contains("staleness.max-versions must be a whole number from 0 to 16, got \"two\"", error, StringComparison.Ordinal);
        AssertOneMessage(error);
    }

    [Fact]
    public async Task Wrong_task_key_must_name_the_bound()
    {
        var (code, _, error) = await Shell.RunAsync("config", "check", Fixtures.Hocon("quickstart.conf"), "--set", "task.length = 6");
        Assert.Equal(2, code);
        Assert.Contains("task.length = 6", error, StringComparison.Ordinal);
        AssertOneMessage(error);
    }

    [Fact]
    public async Task Unknown_reward_kind_must_suggest_the_nearest()
    {
        var (code, _, error) = await Shell.RunAsync("config", "check", Fixtures.Hocon("quickstart.conf"), "--set", "reward.pools.answer.kind = sotr");
        Assert.Equal(2, code);
        Assert.Contains("reward.pools.answer.kind", error, StringComparison.Ordinal);
        Assert.Contains("did you mean sort?", error, StringComparison.Ordinal);
        AssertOneMessage(error);
    }

    [Fact]
    public async Task Bad_data_row_must_name_file_and_line()
    {
        SavedRun("sudoku");
        var data = _folder.File("puzzles.csv", "Puzzle,Solution\n0034341221434321,1234341221434321\n12,34\n");
        var (code, _, error) = await Shell.RunAsync("eval", "sudoku", "--data", data, "--runs-dir", Runs);
        Assert.Equal(2, code);
        Assert.Contains("puzzles.csv:3", error, StringComparison.Ordinal);
        AssertOneMessage(error);
    }

    [Fact]
    public async Task Port_in_use_must_say_so_and_how_to_get_another()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var port = ((IPEndPoint)listener.LocalEndpoint).Port;
        var (code, _, error) = await Shell.RunAsync("train", Fixtures.Hocon("quickstart.conf"), "--set", $"topology.port = {port}", "--runs-dir", Runs);
        Assert.Equal(3, code);
        Assert.Contains($"port {port} on 127.0.0.1 is in use; set topology.port = 0", error, StringComparison.Ordinal);
        AssertOneMessage(error);
        Assert.False(Directory.Exists(Runs));
    }

    [LinuxFact]
    public async Task Read_only_run_directory_must_be_named()
    {
        // /proc takes no new folders, whoever asks.
        var (code, _, error) = await Shell.RunAsync("train", Fixtures.Hocon("quickstart.conf"), "--runs-dir", "/proc/lateral-runs");
        Assert.Equal(3, code);
        Assert.Contains("the run directory /proc/lateral-runs/quickstart cannot be written", error, StringComparison.Ordinal);
        Assert.Contains("choose another --runs-dir", error, StringComparison.Ordinal);
        AssertOneMessage(error);
    }

    [Fact]
    public void Full_disk_must_be_refused_before_a_run_starts_and_told_where_it_happens_later()
    {
        var error = Assert.Throws<UserException>(() => EnvironmentProblem.RequireSpace(Runs, 10L << 20));
        Assert.Equal(ExitCode.Environment, error.Code);
        Assert.Contains("has 10 MiB left and a run needs at least 64 MiB", error.Message, StringComparison.Ordinal);
        var later = Assert.Throws<UserException>(() => EnvironmentProblem.Explain("metrics cannot be written", () => throw new IOException("No space left on device", 28)));
        Assert.Contains("the disk is full", later.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Unknown_run_must_suggest_the_nearest()
    {
        SavedRun("quickstart");
        string[][] commands =
        [
            ["resume", "quikstart"], ["eval", "quikstart"], ["sample", "quikstart"], ["runs", "show", "quikstart"], ["runs", "verify", "quikstart"], ["fork", "quikstart@3", "--name", "x"],
            ["compare", "quickstart", "quikstart"], ["replay", "quikstart", "5/2"], ["export", "quikstart", "--to", Path.Combine(_folder.Path, "model")],
        ];
        foreach (var command in commands)
        {
            var (code, _, error) = await Shell.RunAsync([.. command, "--runs-dir", Runs]);
            Assert.Equal(2, code);
            Assert.Contains("no run 'quikstart'", error, StringComparison.Ordinal);
            Assert.Contains("did you mean quickstart?", error, StringComparison.Ordinal);
            AssertOneMessage(error);
        }
    }

    [Fact]
    public async Task Unknown_checkpoint_must_name_those_there_are()
    {
        SavedRun("quickstart");
        var (code, _, error) = await Shell.RunAsync("eval", "quickstart@7", "--runs-dir", Runs);
        Assert.Equal(2, code);
        Assert.Contains("has no checkpoint of step 7; it has 0", error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Device_that_does_not_exist_must_be_named_with_those_there_are()
    {
        var (code, _, error) = await Shell.RunAsync(
            "train", Fixtures.Hocon("quickstart.conf"), "--set", "topology.roles.sampler.devices.\"cuda:99\" {}", "--runs-dir", Runs);
        Assert.Equal(3, code);
        Assert.Contains("device cuda:99 does not exist", error, StringComparison.Ordinal);
        Assert.Contains("topology.roles", error, StringComparison.Ordinal);
        AssertOneMessage(error);
        Assert.False(Directory.Exists(Runs));
    }

    [Fact]
    public async Task Libtorch_that_is_not_there_must_be_named()
    {
        var (code, output, _) = await Shell.RunAsync("doctor", "--runs-dir", Runs, "--json");
        Assert.Equal(0, code);
        Assert.All(JsonElement.Parse(output).EnumerateArray(), finding => Assert.True(finding.GetProperty("well").GetBoolean()));
        // A process loads one libtorch, so asking for another after that is a finding too.
        var (bad, lines, _) = await Shell.RunAsync("doctor", "--runs-dir", Runs, "--libtorch", _folder.Path);
        Assert.Equal(3, bad);
        Assert.Contains("BAD  libtorch", lines, StringComparison.Ordinal);
        Assert.Contains(_folder.Path, lines, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Existing_name_must_be_refused_with_the_resume_line()
    {
        SavedRun("quickstart");
        var (code, _, error) = await Shell.RunAsync("train", Fixtures.Hocon("quickstart.conf"), "--runs-dir", Runs);
        Assert.Equal(2, code);
        Assert.Contains($"resume quickstart --runs-dir {Runs}", error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Run_in_another_process_must_be_named_by_its_id()
    {
        using var held = RunLock.Acquire(SavedRun("quickstart"));
        var (code, _, error) = await Shell.RunAsync("resume", "quickstart", "--runs-dir", Runs);
        Assert.Equal(3, code);
        Assert.Contains($"is being worked on by process {Environment.ProcessId}", error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("trian")]
    [InlineData("train")]
    [InlineData("eval", "x", "--bogus")]
    [InlineData("sample", "x", "--count", "many")]
    public async Task Wrong_usage_must_end_with_two(params string[] arguments) => Assert.Equal(2, (await Shell.RunAsync(arguments)).Code);

    [Fact]
    public async Task Help_must_list_every_command()
    {
        var (code, output, _) = await Shell.RunAsync("--help");
        Assert.Equal(0, code);
        Assert.All(new[] { "train", "resume", "eval", "sample", "runs", "doctor", "config", "fork", "node", "compare", "replay", "export" }, command => Assert.Contains($"  {command} ", output, StringComparison.Ordinal));
    }

    [Fact]
    public async Task Config_check_must_say_what_a_configuration_means()
    {
        var (code, output, _) = await Shell.RunAsync("config", "check", Fixtures.Hocon("quickstart.conf"), "--set", "algorithm.correction = none");
        Assert.Equal(0, code);
        Assert.Contains("(512 rollouts, 2,560 tokens a step, 3 denoising steps each)", output, StringComparison.Ordinal);
        Assert.Contains("note   algorithm.correction = none at staleness.max-versions = 2", output, StringComparison.Ordinal);
        Assert.Contains("no mistakes", output, StringComparison.Ordinal);
        var (_, json, _) = await Shell.RunAsync("config", "check", Fixtures.Hocon("quickstart.conf"), "--json");
        Assert.Equal(16, JsonElement.Parse(json).GetProperty("settings").GetProperty("rollout").GetProperty("group-size").GetInt32());
    }

    [Fact]
    public async Task Runs_must_be_listed_and_shown()
    {
        Assert.Contains("no runs yet", (await Shell.RunAsync("runs", "--runs-dir", Runs)).Out, StringComparison.Ordinal);
        var run = SavedRun("quickstart");
        File.WriteAllText(run.Metrics, "{\"step\":3,\"reward/mean\":0.25}\n{\"step\":4,\"reward/mean\":0.5}\n");
        File.WriteAllText(run.Evaluations, "{\"step\":0,\"eval/pass_at_1\":0.125}\n");
        var (_, list, _) = await Shell.RunAsync("runs", "--runs-dir", Runs);
        Assert.Contains("quickstart  sort5  4/240  stopped  0.500   0.125", list, StringComparison.Ordinal);
        File.WriteAllText(SavedRun("older").ConfigResolved, "{ \"rollout\": { \"gone\": 1 } }");
        Assert.Contains("older       ?      0/0    unreadable", (await Shell.RunAsync("runs", "--runs-dir", Runs)).Out, StringComparison.Ordinal);
        Assert.Contains("quickstart  sort5", (await Shell.RunAsync("runs", "--runs-dir", Runs)).Out, StringComparison.Ordinal);
        var (_, json, _) = await Shell.RunAsync("runs", "show", "quickstart", "--runs-dir", Runs, "--json");
        Assert.Equal(4, JsonElement.Parse(json).GetProperty("step").GetInt32());
        var (_, shown, _) = await Shell.RunAsync("runs", "show", "quickstart", "--runs-dir", Runs);
        Assert.Contains("Step 4 of 240", shown, StringComparison.Ordinal);
        Assert.Contains("0.25 -> 0.50", shown, StringComparison.Ordinal);
    }

    /// <summary>A run directory with a checkpoint of step 0 whose content nothing here reads.</summary>
    private RunDirectory SavedRun(string name)
    {
        var file = Fixtures.Hocon(name == "sudoku" ? Path.Combine("tasks", "sudoku.conf") : "quickstart.conf");
        var loaded = Actors.Settings.RunSettingsLoader.Load([file], [Actors.Settings.RunSettingsLoader.Set("run.dir", Runs), $"run.name = {name}"]);
        var run = RunDirectory.Create(loaded.Settings, new WrittenConfig("", loaded.Resolved));
        Directory.CreateDirectory(Path.Combine(run.Checkpoints, "step_0"));
        File.WriteAllText(Path.Combine(run.Checkpoints, "step_0", "model.safetensors"), "not weights");
        return run;
    }

    private static void AssertOneMessage(string error)
    {
        Assert.StartsWith("error  ", error, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", error, StringComparison.Ordinal);
        Assert.DoesNotContain("Exception", error, StringComparison.Ordinal);
    }
}
