using System.Diagnostics;
using System.Text.Json;
using Lateral.Actors.Settings;
using Lateral.Core.Prompts;
using Lateral.Core.Rewards;
using Lateral.Core.Rollouts;
using Lateral.Node.Cli;
using Lateral.Node.Composition;
using Lateral.Rewards.Kinds;
using Lateral.Rewards.Verifiers;

namespace Lateral.Node.Tests;

public sealed class InitRewardTests : IDisposable
{
    private static readonly TimeSpan Deadline = TimeSpan.FromMinutes(4);

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    /// <summary>The way of a user: write the project, build it without a network, lay its configuration over a run's, score.</summary>
    [Fact]
    public async Task Project_must_build_as_it_is_and_score_in_a_run_s_configuration()
    {
        // What folders above say of their projects must not reach it.
        _folder.File("Directory.Build.props", "<Project><Target Name=\"Refuse\" BeforeTargets=\"BeforeBuild\"><Error Text=\"the folder above was asked\" /></Target></Project>");
        _folder.File("Directory.Build.targets", "<Project><Target Name=\"Refuse\" BeforeTargets=\"BeforeBuild\"><Error Text=\"the folder above was asked\" /></Target></Project>");
        var root = Path.Combine(_folder.Path, "my first-reward");
        var (code, output, error) = await Shell.RunAsync("init", "reward", root, "--json");
        Assert.True(code == 0, error);
        var written = JsonElement.Parse(output);
        Assert.Equal((root, Path.Combine(root, "bin", "MyFirstReward.dll")), (written.GetProperty("folder").GetString(), written.GetProperty("assembly").GetString()));

        var (built, said) = await BuildAsync(root);
        Assert.True(built == 0, said);
        Assert.Contains("0 Warning(s)", said, StringComparison.Ordinal);
        Assert.False(File.Exists(Path.Combine(root, "bin", RewardProject.CoreFile)));

        var settings = RunSettingsLoader.Load([Fixtures.Hocon("quickstart.conf"), Path.Combine(root, RewardProject.ConfigFile)], [], null, ShippedPlugins.All).Settings;
        var pool = Assert.Single(settings.Pools);
        Assert.Equal(("own", "assembly"), (pool.Name, pool.Kind));
        var reward = VerifierRegistry.Create(pool.Kind, pool.Parameters);
        await ((IPreparedReward)reward).PrepareAsync(CancellationToken.None);
        var outcomes = await new RewardPool(pool, reward).ScoreAsync([Request("11345", "11345"), Request("11345", "11354"), Request("11345", ""), Request("", "1")]);
        Assert.Equal([1, .3, 0], outcomes.OfType<RewardOutcome.Scored>().Select(scored => Math.Round(scored.Value, 12)));
        Assert.Equal((.6, 0.0), (((RewardOutcome.Scored)outcomes[1]).Breakdown["places"], ((RewardOutcome.Scored)outcomes[1]).Breakdown["answer"]));
        Assert.Equal(new RewardOutcome.InfraFault("the task gives no reference"), outcomes[3]);

        // A user's own mistake in the settings is told with the words of the user's own class.
        var wrong = VerifierRegistry.Create(pool.Kind, pool.Parameters.SetItem("settings", """{"right-share": 2}"""));
        var refused = await Assert.ThrowsAsync<RewardUnavailableException>(() => ((IPreparedReward)wrong).PrepareAsync(CancellationToken.None));
        Assert.Contains("the constructor of MyFirstReward.PlacesReward in ", refused.Message, StringComparison.Ordinal);
        Assert.EndsWith("failed: ArgumentException: right-share = 2: must be 0 to 1", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Folder_that_is_not_empty_must_not_be_overwritten()
    {
        var mine = _folder.File("mine.txt", "mine");
        var (code, _, error) = await Shell.RunAsync("init", "reward", _folder.Path);
        Assert.Equal(2, code);
        Assert.Contains($"{_folder.Path} exists and is not overwritten", error, StringComparison.Ordinal);
        (code, _, error) = await Shell.RunAsync("init", "reward", mine);
        Assert.Equal(2, code);
        Assert.Contains("mine.txt is a file", error, StringComparison.Ordinal);
        Assert.Equal([mine], Directory.EnumerateFileSystemEntries(_folder.Path));
    }

    [Fact]
    public async Task Next_commands_must_be_told()
    {
        var root = Path.Combine(_folder.Path, "r");
        var (code, output, _) = await Shell.RunAsync("init", "reward", root);
        Assert.Equal(0, code);
        Assert.Contains($"wrote {root}: R.csproj, PlacesReward.cs, reward.conf, README.md, Directory.Build.props, .gitignore\n", output, StringComparison.Ordinal);
        Assert.Contains($"dotnet build {root}\n", output, StringComparison.Ordinal);
        Assert.Contains($"train quickstart.conf {Path.Combine(root, "reward.conf")}\n", output, StringComparison.Ordinal);
        var readme = await File.ReadAllTextAsync(Path.Combine(root, "README.md"));
        Assert.Equal(3, readme.Split('\n').Count(line => line.StartsWith("    ", StringComparison.Ordinal)));
    }

    [Theory]
    [InlineData("my-reward", "MyReward")]
    [InlineData("my_reward.2/", "MyReward2")]
    [InlineData("7th try", "Reward7thTry")]
    [InlineData("Über", "Ber")]
    [InlineData("---", "Reward")]
    public void Name_must_be_one_that_code_can_have(string folder, string name) => Assert.Equal(name, new RewardProject(Path.Combine(_folder.Path, folder), _folder.Path).Name);

    private static RewardRequest Request(string reference, string completion) => new(new RolloutId(0, 0), new Prompt(0, [], "", reference), completion);

    private async Task<(int Code, string Output)> BuildAsync(string folder)
    {
        // No server that outlives the test, and a package source that has nothing.
        var nothing = Directory.CreateDirectory(Path.Combine(_folder.Path, "nothing")).FullName;
        var start = new ProcessStartInfo("dotnet", ["build", folder, "-nodeReuse:false", "-p:UseSharedCompilation=false", $"-p:RestoreSources={nothing}"])
        {
            UseShellExecute = false,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        start.Environment["DOTNET_CLI_TELEMETRY_OPTOUT"] = start.Environment["DOTNET_NOLOGO"] = "1";
        using var build = Process.Start(start)!;
        var (output, error) = (build.StandardOutput.ReadToEndAsync(), build.StandardError.ReadToEndAsync());
        try
        {
            await build.WaitForExitAsync().WaitAsync(Deadline);
        }
        finally
        {
            if (!build.HasExited) build.Kill(entireProcessTree: true);
        }

        return (build.ExitCode, await output + await error);
    }
}
