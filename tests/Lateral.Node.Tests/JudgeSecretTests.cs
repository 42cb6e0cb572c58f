using System.Text.Json;
using Lateral.Actors.Settings;
using Lateral.Configuration;
using Lateral.Node.Composition;
using Lateral.Node.Runs;

namespace Lateral.Node.Tests;

/// <summary>A judge's key is read from the environment at every start, and stands in no file and no print.</summary>
public sealed class JudgeSecretTests : IDisposable
{
    private const string Variable = "LATERAL_TEST_JUDGE_KEY", Key = "sk-judge-7c1e-hush";

    private readonly TemporaryFolder _folder = new();

    public JudgeSecretTests() => Environment.SetEnvironmentVariable(Variable, Key);

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Run_must_keep_where_its_key_comes_from_and_not_the_key()
    {
        var loaded = RunSettingsLoader.Load([Conf($"${{?{Variable}}}")], [RunSettingsLoader.Set("run.dir", _folder.Path)], null, ShippedPlugins.All);
        var run = RunDirectory.Create(loaded.Settings, new WrittenConfig(File.ReadAllText(Conf($"${{?{Variable}}}")), loaded.Resolved));

        var again = new RunCatalog(_folder.Path).Load(run, []).Settings;
        Assert.Equal(Key, again.Pools.Single(pool => pool.Name == "judge").Parameters["api-key"]);
        Assert.Contains($"reward.pools.judge.api-key = ${{?{Variable}}}", File.ReadAllText(run.ConfigSecrets), StringComparison.Ordinal);
        Assert.Empty(FilesWith(Key));
    }

    [Theory]
    [InlineData("print")]
    [InlineData("check")]
    [InlineData("check --json")]
    public async Task Print_must_hide_the_key(string command)
    {
        var (code, output, error) = await Shell.RunAsync(["config", .. command.Split(' '), Conf($"${{?{Variable}}}")]);
        Assert.True(code == 0, error);
        Assert.DoesNotContain("hush", output + error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Key_that_is_no_header_must_be_told_without_it()
    {
        Environment.SetEnvironmentVariable($"{Variable}_BROKEN", "sk-hush\nhush");
        var (code, output, error) = await Shell.RunAsync("config", "check", Conf($"${{?{Variable}_BROKEN}}"));
        Assert.Equal(2, code);
        Assert.Contains("reward.pools.judge.api-key has a space, a line break or a letter beyond ASCII", error, StringComparison.Ordinal);
        Assert.DoesNotContain("hush", output + error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Key_that_is_written_out_must_be_refused_before_anything_is_written()
    {
        var runs = Path.Combine(_folder.Path, "runs");
        var conf = Conf($"\"{Key}\"");
        var (code, output, error) = await Shell.RunAsync("train", conf, "--runs-dir", runs);
        Assert.Equal(2, code);
        Assert.Contains("reward.pools.judge.api-key is a secret that is written out", error, StringComparison.Ordinal);
        Assert.DoesNotContain("hush", output + error, StringComparison.Ordinal);
        Assert.Equal([conf], FilesWith(Key));
    }

    [Fact]
    public void Resume_must_keep_no_secret_of_its_settings_and_may_change_a_budget()
    {
        var run = Fixtures.NewRun(_folder, "reward.pools.judge { kind = judge, url = \"http://127.0.0.1:9/v1\", model = m, max-requests = 5 }");
        var catalog = new RunCatalog(_folder.Path);
        Assert.Throws<ConfigException>(() => ChangedSettings.Apply(catalog, run, [$"journal.password = {JsonSerializer.Serialize(Key)}"]));
        Assert.Empty(FilesWith(Key));

        var after = ChangedSettings.Apply(catalog, run, ["reward.pools.judge.max-requests = 50"]);
        Assert.Equal("50", after.Pools.Single(pool => pool.Name == "judge").Parameters["max-requests"]);
        Assert.Throws<UserException>(() => ChangedSettings.Apply(catalog, run, ["reward.pools.judge.model = other"]));
    }

    private string Conf(string key) =>
        _folder.File("judged.conf", $"include {JsonSerializer.Serialize(Fixtures.Hocon("quickstart.conf"))}\nrun.name = judged\nreward.pools.judge {{ kind = judge, url = \"http://127.0.0.1:9/v1\", model = m, api-key = {key}, timeout = 2 minutes }}\n");

    private IEnumerable<string> FilesWith(string text) => Directory.EnumerateFiles(_folder.Path, "*", SearchOption.AllDirectories).Where(path => File.ReadAllText(path).Contains(text, StringComparison.Ordinal));
}
