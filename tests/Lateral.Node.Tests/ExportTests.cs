using System.Text.Json;

namespace Lateral.Node.Tests;

/// <summary>An exported model is the run's policy: the same weights, the same completions, and everything it takes to say so elsewhere.</summary>
[Collection(TrainedRunTests.Name)]
public sealed class ExportTests(TrainedRun trained) : IDisposable
{
    private readonly TemporaryFolder _folder = trained.Copy();

    public void Dispose() => _folder.Dispose();

    private string Runs => Path.Combine(_folder.Path, "runs");

    private string Model => Path.Combine(_folder.Path, "models", "first");

    [Fact]
    public async Task Exported_model_must_sample_and_evaluate_like_the_run_without_it()
    {
        string[][] looks = [["sample", "--json", "--count", "6"], ["sample", "--json", "--prompt", "0034341221434321", "--prompt", "1230341221434321", "--count", "3"], ["eval", "--prompts", "8", "--json"]];
        var expected = new List<string>();
        foreach (var look in looks) expected.Add(Untimed(await Done([look[0], "first@3", .. look[1..], "--runs-dir", Runs])));
        await Done("export", "first@3", "--to", Model, "--runs-dir", Runs);
        Assert.Equal(["README.md", "config.json", "lateral.conf", "lateral.json", "model.safetensors", "vocabulary.json"], Directory.EnumerateFileSystemEntries(Model).Select(Path.GetFileName).Order(StringComparer.Ordinal));
        Assert.Equal(TrainedRun.Hash(Path.Combine(Runs, "first", "checkpoints", "step_3", "model.safetensors")), TrainedRun.Hash(Path.Combine(Model, "model.safetensors")));

        Directory.Delete(Runs, recursive: true);
        for (var i = 0; i < looks.Length; i++) Assert.Equal(expected[i], Untimed(await Done([looks[i][0], Model, .. looks[i][1..]])));
        Assert.Equal(6, expected[1].Split('\n', StringSplitOptions.RemoveEmptyEntries).Length);
    }

    [Fact]
    public async Task Exported_model_must_be_the_base_of_a_run_that_starts_from_it()
    {
        var origin = JsonElement.Parse(await Done("export", "first", "--to", Model, "--json", "--runs-dir", Runs));
        Assert.Equal(("first", 4, "sudoku"), (origin.GetProperty("run").GetString(), origin.GetProperty("step").GetInt32(), origin.GetProperty("task").GetString()));
        await Done(
            "train", Path.Combine(_folder.Path, "first.conf"), "--name", "second", "--set", $"model.path = \"{Model}\"", "--set", "warmup.steps = 0", "--set", "run.steps = 1", "--runs-dir", Runs);
        Assert.Equal(origin.GetProperty("sha256").GetString(), TrainedRun.Hash(Path.Combine(Runs, "second", "checkpoints", "step_0", "model.safetensors")));
    }

    [Fact]
    public async Task Export_must_carry_no_secret_and_no_path_of_this_machine()
    {
        await Done("export", "first", "--to", Model, "--runs-dir", Runs);
        foreach (var file in Directory.EnumerateFiles(Model).Where(file => !file.EndsWith("safetensors", StringComparison.Ordinal)))
        {
            Assert.DoesNotContain("hush-hush", File.ReadAllText(file), StringComparison.Ordinal);
            Assert.DoesNotContain(_folder.Path, File.ReadAllText(file), StringComparison.Ordinal);
        }

        Assert.Equal("""["0","1","2","3","4","[MASK]"]""", JsonElement.Parse(File.ReadAllText(Path.Combine(Model, "vocabulary.json"))).GetProperty("tokens").GetRawText().ReplaceLineEndings("").Replace(" ", "", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Export_must_overwrite_nothing_and_leave_nothing_half_done()
    {
        Directory.CreateDirectory(Model);
        await Done("export", "first", "--to", Model, "--runs-dir", Runs);
        var before = TrainedRun.Hashes(Model);
        Assert.Contains("something lies there already", await Refused(2, "export", "first@1", "--to", Model, "--runs-dir", Runs), StringComparison.Ordinal);
        Assert.Equal(before, TrainedRun.Hashes(Model));

        var weights = Path.Combine(Runs, "first", "checkpoints", "step_2", "model.safetensors");
        var bytes = File.ReadAllBytes(weights);
        bytes[^1] ^= 1;
        File.WriteAllBytes(weights, bytes);
        Assert.Contains("model.safetensors has hash", await Refused(3, "export", "first@2", "--to", Path.Combine(_folder.Path, "models", "torn"), "--runs-dir", Runs), StringComparison.Ordinal);
        Assert.Equal(["first"], Directory.EnumerateFileSystemEntries(Path.Combine(_folder.Path, "models")).Select(Path.GetFileName));
    }

    [Fact]
    public async Task Foreign_model_directory_must_say_that_it_needs_a_configuration_and_work_with_one()
    {
        var checkpoint = Path.Combine(Runs, "first", "checkpoints", "step_3");
        Assert.Contains("say with --config CONF", await Refused(2, "sample", checkpoint), StringComparison.Ordinal);
        var conf = Path.Combine(_folder.Path, "first.conf");
        var own = await Done("sample", "first@3", "--count", "2", "--runs-dir", Runs);
        Assert.Equal(own, await Done("sample", checkpoint, "--config", conf, "--count", "2"));
        Assert.Contains("--config is for model directories", await Refused(2, "eval", "first", "--config", conf, "--runs-dir", Runs), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Model_that_cannot_be_used_must_be_told_before_torch_is_needed()
    {
        Assert.Contains("a model directory has config.json and model.safetensors", await Refused(2, "eval", Path.Combine(_folder.Path, "nowhere")), StringComparison.Ordinal);
        await Done("export", "first", "--to", Model, "--runs-dir", Runs);
        var other = _folder.File("sort.conf", "include \"" + Fixtures.Hocon("quickstart.conf") + "\"\n");
        Assert.Contains("the model masks with token 5 of 6, the task's vocabulary with 10 of 11", await Refused(2, "sample", Model, "--config", other), StringComparison.Ordinal);
        Assert.Contains("model.path = ", await Refused(2, "train", other, "--set", $"model.path = \"{Model}\"", "--runs-dir", Runs), StringComparison.Ordinal);
        File.AppendAllText(Path.Combine(Model, "model.safetensors"), "x");
        Assert.Contains("model.safetensors", await Refused(2, "sample", Model), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Weights_that_were_changed_after_the_export_must_be_refused()
    {
        await Done("export", "first", "--to", Model, "--runs-dir", Runs);
        var path = Path.Combine(Model, "model.safetensors");
        var bytes = File.ReadAllBytes(path);
        bytes[^1] ^= 1;
        File.WriteAllBytes(path, bytes);
        Assert.Contains("the file was changed or is torn; export again", await Refused(3, "sample", Model), StringComparison.Ordinal);
    }

    private static async Task<string> Done(params string[] arguments)
    {
        var (code, output, error) = await Shell.RunAsync(arguments);
        Assert.True(code == 0, output + error);
        return output;
    }

    private static async Task<string> Refused(int expected, params string[] arguments)
    {
        var (code, _, error) = await Shell.RunAsync(arguments);
        Assert.Equal(expected, code);
        Assert.DoesNotContain("   at ", error, StringComparison.Ordinal);
        return error;
    }

    private static string Untimed(string json) => System.Text.RegularExpressions.Regex.Replace(json, "\"eval/seconds\":[^,}]*", "");
}
