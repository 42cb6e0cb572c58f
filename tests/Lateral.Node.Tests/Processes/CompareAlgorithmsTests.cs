using System.Collections.Immutable;
using System.Xml.Linq;
using Lateral.Actors.Settings;
using Lateral.Node.Comparison;

namespace Lateral.Node.Tests.Processes;

/// <summary>Algorithms on equal budgets from one base: real runs in a small size, and tables and plots of runs made by hand.</summary>
public sealed class CompareAlgorithmsTests : IDisposable
{
    private static readonly string[] Small =
    [
        "--set", "warmup { steps = 40, batch = 64 }", "--set", "model.size { width = 32, layers = 2, heads = 2, mlp = 64 }", "--set", "rollout { groups-per-step = 4, group-size = 4 }", "--set", "learner.shards = 4",
    ];

    private readonly TemporaryFolder _folder = new();

    private static string Quickstart => Fixtures.Hocon("quickstart.conf");

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Algorithms_must_be_compared_from_one_base_and_what_is_there_must_not_run_again()
    {
        string[] arguments = ["compare-algorithms", Quickstart, "--algorithms", "grpo-behaviour-clip,espo,ar-dpo", "--seeds", "1", "--budget", "10s", "--prompts", "16", "--out", _folder.Path, .. Small];
        var (code, output, error) = await Shell.RunAsync(arguments);
        Assert.True(code == 0, error);
        foreach (var name in new[] { "grpo-behaviour-clip", "espo", "ar-dpo" }) Assert.Matches($@"\| {name} \| [1-9]\d* \| [1-9][\d,]* \| [\d.]+ \| [\d.]+ \|", output);
        Assert.Contains("preferences, which see one pair of each group:", output, StringComparison.Ordinal);
        Assert.Equal(output.Trim(), (await File.ReadAllTextAsync(Path.Combine(_folder.Path, "table.md"))).Trim());
        Assert.Equal("svg", XDocument.Load(Path.Combine(_folder.Path, "plot.svg")).Root!.Name.LocalName);

        // All begin with the same weights, but the autoregressive twin, which can begin with no diffusion model's.
        string Base(string run) => Convert.ToHexString(System.Security.Cryptography.SHA256.HashData(File.ReadAllBytes(Path.Combine(_folder.Path, run, "checkpoints", "step_0", "model.safetensors"))));
        Assert.Equal(Base("base"), Base("espo-1"));
        Assert.Equal(Base("base-causal"), Base("ar-dpo-1"));
        Assert.NotEqual(Base("base"), Base("base-causal"));

        Dictionary<string, DateTime> Written() => Directory.EnumerateFiles(_folder.Path, "metrics.jsonl", SearchOption.AllDirectories).ToDictionary(path => path, File.GetLastWriteTimeUtc);
        var written = Written();
        Assert.Equal(5, written.Count);
        Assert.Equal(output, (await Shell.RunAsync(arguments)).Out);
        Assert.Equal(written, Written());
    }

    [Fact]
    public async Task Supervised_presets_must_have_a_table_of_their_own_and_go_on_from_the_base()
    {
        string[] arguments = ["compare-algorithms", Quickstart, "--algorithms", "sft", "--seeds", "1", "--budget", "3s", "--prompts", "16", "--out", _folder.Path, .. Small, "--set", "warmup.batch = 64"];
        var (code, output, error) = await Shell.RunAsync(arguments);
        Assert.True(code == 0, error);
        Assert.Contains("supervised, which see the corpus and no reward:", output, StringComparison.Ordinal);
        var row = System.Text.RegularExpressions.Regex.Match(output, @"\| sft \| (?<steps>\d+) \| (?<examples>[\d,]+) \| (?<loss>[\d.]+) \| [\d.]+ \|");
        Assert.True(row.Success, output);
        Assert.Equal(64 * int.Parse(row.Groups["steps"].Value, System.Globalization.CultureInfo.InvariantCulture), int.Parse(row.Groups["examples"].Value, System.Globalization.NumberStyles.AllowThousands, System.Globalization.CultureInfo.InvariantCulture));
        // A fresh model's would be ln 11 = 2.4 nats a token.
        Assert.InRange(double.Parse(row.Groups["loss"].Value, System.Globalization.CultureInfo.InvariantCulture), .01, 2.2);
        Assert.Equal(output, (await Shell.RunAsync(arguments)).Out);
    }

    [Theory]
    [InlineData("--algorithms", "esbo", "--algorithms esbo: no such file")]
    [InlineData("--algorithms", "esbo", "did you mean espo?")]
    [InlineData("--algorithms", ",", "--algorithms names none")]
    [InlineData("--algorithms", "espo,espo", "names espo twice")]
    [InlineData("--budget", "30", "--budget 30:")]
    [InlineData("--seeds", "0", "--seeds must be at least 1, got 0")]
    public async Task Mistakes_must_be_told_before_anything_runs(string option, string value, string message)
    {
        string[] arguments = ["compare-algorithms", Quickstart, option, value, .. option == "--algorithms" ? Array.Empty<string>() : ["--algorithms", "espo"], "--out", _folder.Path];
        var (code, _, error) = await Shell.RunAsync(arguments);
        Assert.Equal(2, code);
        Assert.Contains(message, error, StringComparison.Ordinal);
        Assert.Empty(Directory.EnumerateFileSystemEntries(_folder.Path));
    }

    [Fact]
    public void Table_must_hold_means_spreads_and_failures_best_first()
    {
        var settings = RunSettingsLoader.Load([Quickstart], []).Settings;
        ImmutableArray<ComparedAlgorithm> algorithms = [new("a", "a.conf", settings), new("b", "b.conf", settings), new("c", "c.conf", settings)];
        ImmutableArray<ComparedRun> runs =
        [
            Run("a", 1, .2, .4), Run("a", 2, .4, .6), Run("b", 1, .5, .9), new("b", 2, [], double.NaN, "it diverged"), new("c", 1, [], double.NaN, "no memory"), new("c", 2, [], double.NaN, "no memory"),
        ];
        string[] lines = [.. ComparisonTable.Lines(algorithms, runs)];
        Assert.Equal("| b (1 of 2 failed: it diverged) | 10 | 1,280 | 0.500 | 0.900 |", lines[3]);
        Assert.Equal("| a | 10 | 1,280 | 0.300 [0.200, 0.400] | 0.500 [0.400, 0.600] |", lines[4]);
        Assert.Equal("| c (2 of 2 failed: no memory) | - | - | - | - |", lines[5]);
    }

    [Fact]
    public void Plot_must_draw_a_line_and_a_band_for_each_algorithm_that_has_a_result()
    {
        var settings = RunSettingsLoader.Load([Quickstart], []).Settings;
        ImmutableArray<ComparedAlgorithm> algorithms = [new("a", "a.conf", settings), new("<b>", "b.conf", settings), new("c", "c.conf", settings)];
        var svg = XDocument.Parse(ComparisonPlot.Svg(algorithms, [Run("a", 1, .2, .4), Run("a", 2, .4, .6), Run("<b>", 1, .5, .9), new("c", 1, [], double.NaN, "no memory")]));
        int Count(string name) => svg.Descendants().Count(element => element.Name.LocalName == name);
        // Two panels.
        Assert.Equal((4, 2), (Count("polyline"), Count("polygon")));
        Assert.Contains(svg.Descendants(), element => element.Value == "<b>");
        Assert.DoesNotContain("NaN", svg.ToString(), StringComparison.Ordinal);
    }

    /// <summary>Ten steps of 128 rollouts; the reward rises to its last value before the last fifth.</summary>
    private static ComparedRun Run(string algorithm, int seed, double late, double pass) =>
        new(algorithm, seed, [.. Enumerable.Range(1, 10).Select(step => new ComparedStep(step * .5, step * 128, Math.Min(1, step / 8.0) * late))], pass, null);
}
