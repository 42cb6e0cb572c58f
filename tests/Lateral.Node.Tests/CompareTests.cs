using System.Text.Json;
using Lateral.Node.Display;
using Lateral.Node.Runs;

namespace Lateral.Node.Tests;

public sealed class CompareTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Comparison_must_show_what_differs_and_the_curves_on_one_scale()
    {
        Run("first", ["algorithm.lr = 1e-3"], "{\"step\":1,\"reward/mean\":0.0,\"kl/behaviour\":0.5}\n{\"step\":2,\"reward/mean\":0.5,\"kl/behaviour\":0.25}\n", "{\"step\":0,\"eval/pass_at_1\":0.25}\n");
        Run("second", ["algorithm.lr = 0.0001", "run.seed = 2", "x-site.api-key = ${PATH}"], "{\"step\":1,\"reward/mean\":1.0}\n{\"step\":2,\"reward/mean\":0.75}\n", "{\"step\":0,\"eval/pass_at_1\":0.5}\n{\"step\":2,\"eval/pass_at_1\":0.75}\n");
        var output = (await Done("compare", "first", "second")).Split('\n');
        Assert.Equal(
        [
            "settings that differ  first  second",
            "run.seed              1      2",
            "algorithm.lr          1e-3   0.0001",
            "x-site.api-key        -      ***",
            "",
            "reward/mean  first  final  best    steps 1 to 2, 0 to 1",
            "  first      0      0.5    0.5 @2  ▁▅",
            "  second     1      0.75   1 @1    █▇",
        ],
        output[..8]);
        Assert.Contains("  first       0.5    0.25   0.25 @2  █▁", output);
        Assert.Contains(output, line => line.StartsWith("  second", StringComparison.Ordinal) && line.Contains('-', StringComparison.Ordinal));
    }

    [Fact]
    public async Task Json_must_hold_settings_and_series_of_every_run()
    {
        Run("first", [], "{\"step\":1,\"reward/mean\":0.25}\n{\"step\":2,\"reward/mean\":null}\n{\"step\":3,\"reward/mean\":0.5}\n", "");
        Run("second", ["rollout.temperature = 0.5"], "", "");
        Run("third", [], "{\"step\":5,\"reward/mean\":1.0}\n", "");
        var json = JsonElement.Parse(await Done("compare", "first", "second", "third", "--json", "--metric", "reward/mean"));
        Assert.Equal(["first", "second", "third"], json.GetProperty("runs").EnumerateArray().Select(run => run.GetString()));
        var setting = Assert.Single(json.GetProperty("settings").EnumerateArray());
        Assert.Equal(("rollout.temperature", "1.0", "0.5", "1.0"), (setting.GetProperty("key").GetString(), Value(setting, "first"), Value(setting, "second"), Value(setting, "third")));
        var runs = Assert.Single(json.GetProperty("metrics").EnumerateArray()).GetProperty("runs").EnumerateArray().ToList();
        Assert.Equal("[1,3]", runs[0].GetProperty("steps").GetRawText());
        Assert.Equal("[0.25,0.5]", runs[0].GetProperty("values").GetRawText());
        Assert.Equal((0.5, 0.5, 3), (runs[0].GetProperty("final").GetDouble(), runs[0].GetProperty("best").GetDouble(), runs[0].GetProperty("bestStep").GetInt32()));
        Assert.Equal(JsonValueKind.Null, runs[1].GetProperty("final").ValueKind);

        static string? Value(JsonElement setting, string run) => setting.GetProperty("values").GetProperty(run).GetString();
    }

    [Theory]
    [InlineData("takes two or more different runs", "first")]
    [InlineData("takes two or more different runs", "first", "first")]
    [InlineData("did you mean second?", "first", "secnod")]
    [InlineData("--metric reward/maen: none of these runs has recorded it; did you mean reward/mean?", "first", "second", "--metric", "reward/maen")]
    public async Task Comparison_that_cannot_be_made_must_say_why(string message, params string[] arguments)
    {
        Run("first", [], "{\"step\":1,\"reward/mean\":0.25}\n", "");
        Run("second", [], "{\"step\":1,\"reward/mean\":0.25}\n", "");
        var (code, _, error) = await Shell.RunAsync(["compare", .. arguments, "--runs-dir", _folder.Path]);
        Assert.Equal(2, code);
        Assert.Contains(message, error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Same_settings_must_be_said_to_be_the_same()
    {
        Run("first", [], "", "");
        Run("second", [], "", "");
        Assert.Equal("the runs were configured alike\n", await Done("compare", "first", "second"));
    }

    [Fact]
    public void Curve_must_average_its_columns_and_leave_out_steps_it_has_not()
    {
        // Eight steps in four columns: means 0, 4, none, 7 of a scale 0 .. 7.
        var axes = new CurveAxes(1, 8, 0, 7);
        Assert.Equal("▁▅ █", axes.Draw([(1, 0), (3, 3), (4, 5), (7, 7), (8, 7)], 4));
        Assert.Equal("▁▁", new CurveAxes(0, 1, 2, 2).Draw([(0, 2), (1, 2)], 10));
    }

    [Fact]
    public void Best_must_be_the_low_end_where_low_is_good_and_nothing_where_nobody_knows()
    {
        Assert.Equal((3, 0.1), RunComparison.Best(new MetricSeries("r", "time/seconds", [(1, 0.5), (3, 0.1), (4, 0.1)])));
        Assert.Equal((1, 0.5), RunComparison.Best(new MetricSeries("r", "reward/mean", [(1, 0.5), (3, 0.1)])));
        Assert.Null(RunComparison.Best(new MetricSeries("r", "optim/grad_norm", [(1, 0.5)])));
    }

    private void Run(string name, string[] sets, string metrics, string evaluations)
    {
        var run = Fixtures.NewRun(_folder, [.. sets, $"run.name = {name}"]);
        File.WriteAllText(run.Metrics, metrics);
        File.WriteAllText(run.Evaluations, evaluations);
    }

    private async Task<string> Done(params string[] arguments)
    {
        var (code, output, error) = await Shell.RunAsync([.. arguments, "--runs-dir", _folder.Path]);
        Assert.True(code == 0, output + error);
        return output;
    }
}
