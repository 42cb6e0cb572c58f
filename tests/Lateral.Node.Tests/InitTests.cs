using System.Text.Json;
using Lateral.Actors.Settings;
using Lateral.Node.Cli;
using Lateral.Node.Composition;

namespace Lateral.Node.Tests;

public sealed class InitTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public static TheoryData<string, string> Recipes => new()
    {
        { "quickstart", "quickstart.conf" }, { "sort6", "tasks/sort6.conf" }, { "sudoku", "tasks/sudoku.conf" }, { "countdown", "tasks/countdown.conf" },
    };

    public void Dispose() => _folder.Dispose();

    [Theory]
    [MemberData(nameof(Recipes))]
    public async Task Starter_must_mean_what_its_recipe_means_and_explain_every_key(string recipe, string shipped)
    {
        var path = Path.Combine(_folder.Path, $"{recipe}.conf");
        var (code, output, _) = await Shell.RunAsync("init", path, "--recipe", recipe);
        Assert.Equal(0, code);
        Assert.Contains($"train {path}", output, StringComparison.Ordinal);
        Assert.Equal(Settings(Fixtures.Hocon(shipped)), Settings(path));

        var lines = File.ReadAllLines(path);
        for (var i = 1; i < lines.Length; i++)
            if (lines[i].Contains(" = ", StringComparison.Ordinal) && !lines[i].TrimStart().StartsWith('#') && !lines[i].Contains("kind = ", StringComparison.Ordinal))
                Assert.StartsWith("#", lines[i - 1].TrimStart(), StringComparison.Ordinal);
    }

    [Fact]
    public void Every_recipe_must_be_tested() => Assert.Equal(StarterConfig.Recipes, Recipes.Select(row => (string)row[0]));

    [Fact]
    public async Task File_that_exists_must_not_be_overwritten()
    {
        var path = _folder.File("mine.conf", "# mine\n");
        var (code, _, error) = await Shell.RunAsync("init", path);
        Assert.Equal(2, code);
        Assert.Contains("mine.conf exists and is not overwritten", error, StringComparison.Ordinal);
        Assert.Equal("# mine\n", File.ReadAllText(path));
    }

    [Fact]
    public async Task Name_that_is_no_runs_must_be_refused_and_leave_nothing()
    {
        var path = Path.Combine(_folder.Path, "my run.conf");
        var (code, _, error) = await Shell.RunAsync("init", path);
        Assert.Equal(2, code);
        Assert.Contains("run.name must be letters, digits", error, StringComparison.Ordinal);
        Assert.False(File.Exists(path));
    }

    private static string Settings(string path) => JsonSerializer.Serialize(RunSettingsLoader.Load([path], [], null, ShippedPlugins.All).Settings);
}
