using System.Diagnostics;
using System.Text.Json;
using Lateral.Actors.Settings;
using Lateral.Configuration;
using Lateral.Node.Cli;
using Lateral.Node.Composition;
using Lateral.Node.Runs;

namespace Lateral.Node.Tests;

/// <summary><c>config check|print|diff|explain</c> on the files that ship.</summary>
public sealed class ConfigCommandTests : IDisposable
{
    private static readonly string Folder = Path.GetDirectoryName(Fixtures.Hocon("reference.conf"))!;

    private readonly TemporaryFolder _folder = new();

    private static string Quickstart => Fixtures.Hocon("quickstart.conf");

    public static TheoryData<string> Files() => [.. Shipped()];

    public void Dispose() => _folder.Dispose();

    [Theory]
    [MemberData(nameof(Files))]
    public async Task Every_shipped_file_must_pass_the_check(string file)
    {
        var (code, output, error) = await Shell.RunAsync(["config", "check", .. Conf(file)]);
        Assert.Equal(("", 0), (error, code));
        Assert.EndsWith("no mistakes", output.TrimEnd(), StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(Files))]
    public async Task Print_fed_back_in_must_yield_the_same_tree(string file)
    {
        var tree = CanonicalJson.Write(RunSettingsLoader.Resolve(Conf(file), []));
        foreach (var (options, name) in new[] { (Array.Empty<string>(), "again.conf"), (["--origins"], "origins.conf"), (["--json"], "again.json") })
        {
            var (code, output, _) = await Shell.RunAsync(["config", "print", .. Conf(file), .. options]);
            Assert.Equal(0, code);
            Assert.Equal(tree, CanonicalJson.Write(RunSettingsLoader.Resolve([_folder.File(name, output)], [])));
        }
    }

    [Theory]
    [MemberData(nameof(Files))]
    public async Task Origins_must_name_the_line_that_holds_the_key(string file)
    {
        var (code, output, _) = await Shell.RunAsync(["config", "print", .. Conf(file), "--origins", "--json"]);
        Assert.Equal(0, code);
        var leaves = JsonElement.Parse(output).EnumerateArray().ToList();
        Assert.Equal(ConfigLeaves.Flatten(RunSettingsLoader.Resolve(Conf(file), [])).Count(), leaves.Count);
        foreach (var leaf in leaves)
        {
            var key = leaf.GetProperty("key").GetString()!;
            var place = leaf.GetProperty("origin").GetString()!.Split(':');
            if (place[0] == "the file's name") continue;
            var source = place[0] == "reference.conf" ? Fixtures.Hocon("reference.conf") : place[0];
            var line = File.ReadAllLines(source)[int.Parse(place[1], System.Globalization.CultureInfo.InvariantCulture) - 1];
            // The value begins at the column, and its key's last word stands before it on the line.
            var column = int.Parse(place[2], System.Globalization.CultureInfo.InvariantCulture) - 1;
            var last = key.EndsWith('"') ? key[(key.IndexOf('"', StringComparison.Ordinal) + 1)..^1] : key[(key.LastIndexOf('.') + 1)..];
            Assert.Contains(last, line[..column], StringComparison.Ordinal);
            var value = leaf.GetProperty("value");
            if (value.ValueKind != JsonValueKind.Object) Assert.StartsWith(value.ToString().Length == 0 ? "null" : value.ToString(), line[column..].TrimStart('"'), StringComparison.OrdinalIgnoreCase);
            else Assert.StartsWith("{", line[column..], StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task Print_must_hide_secrets_and_still_tell_mistakes()
    {
        var conf = _folder.File("secret.conf", $"include \"{Quickstart}\"\nx-judge {{ api-key = abc123, url = \"postgres://u:pw456@db/x\" }}\nrollout.grup-size = 1\n");
        foreach (var options in new[] { Array.Empty<string>(), ["--json"], ["--origins"], ["--origins", "--json"] })
        {
            var (code, output, error) = await Shell.RunAsync(["config", "print", conf, .. options]);
            Assert.Equal(2, code);
            Assert.DoesNotContain("abc123", output, StringComparison.Ordinal);
            Assert.DoesNotContain("pw456", output, StringComparison.Ordinal);
            Assert.Contains("***", output, StringComparison.Ordinal);
            Assert.Contains("secret.conf:3:1  unknown key rollout.grup-size - did you mean rollout.group-size?", error, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task Diff_must_list_changed_added_and_removed_leaves()
    {
        var (a, b) = (_folder.File("a.conf", $"include \"{Quickstart}\"\nx-key.password = one\nx-gone = 1\n"), _folder.File("b.conf", $"include \"{Quickstart}\"\nalgorithm.lr = 3e-4\nx-key.password = two\nx-new = [1, 2]\n"));
        var (code, output, _) = await Shell.RunAsync("config", "diff", a, b, "--set", "run.name = same");
        Assert.Equal(0, code);
        Assert.Equal(
            """
            ~ algorithm.lr    2e-4 -> 3e-4
            ~ x-key.password  "***" -> "***"
            - x-gone          1
            + x-new           [1,2]
            2 changed, 1 removed, 1 added

            """.ReplaceLineEndings("\n"), output.ReplaceLineEndings("\n"));
        Assert.Equal("no differences", (await Shell.RunAsync("config", "diff", a, a)).Out.Trim());
        var (_, json, _) = await Shell.RunAsync("config", "diff", a, b, "--set", "run.name = same", "--json");
        Assert.Equal(["changed", "changed", "removed", "added"], JsonElement.Parse(json).EnumerateArray().Select(change => change.GetProperty("kind").GetString()));
    }

    [Fact]
    public async Task Diff_must_take_runs_by_name()
    {
        Fixtures.NewRun(_folder, "run.name = first");
        Fixtures.NewRun(_folder, "run.name = second", "staleness.max-versions = 4");
        var (code, output, _) = await Shell.RunAsync("config", "diff", "first", "second", "--runs-dir", _folder.Path);
        Assert.Equal((0, "~ run.name                first -> second\n~ staleness.max-versions  2 -> 4\n2 changed\n"), (code, output.ReplaceLineEndings("\n")));
        var (wrong, _, error) = await Shell.RunAsync("config", "diff", "first", "secnd", "--runs-dir", _folder.Path);
        Assert.Equal(2, wrong);
        Assert.Contains("did you mean second?", error, StringComparison.Ordinal);
        Assert.Contains("file not found: nowhere.conf", (await Shell.RunAsync("config", "diff", "first", "nowhere.conf", "--runs-dir", _folder.Path)).Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Explain_must_give_meaning_default_and_value()
    {
        var (code, output, _) = await Shell.RunAsync("config", "explain", "algorithm.lr", Quickstart, "--set", "algorithm.lr = 5e-4");
        Assert.Equal(0, code);
        Assert.Contains("Peak learning rate of AdamW, 1e-12 .. 1.", output, StringComparison.Ordinal);
        Assert.Contains("default  1e-4", output, StringComparison.Ordinal);
        Assert.Contains("here     5e-4  (--set:1:16)", output, StringComparison.Ordinal);
        var (_, pool, _) = await Shell.RunAsync("config", "explain", "reward.pools.answer.right-numbers", "--json");
        Assert.Equal("reward.kinds.countdown.right-numbers", JsonElement.Parse(pool)[0].GetProperty("from").GetString());
        var (_, section, _) = await Shell.RunAsync("config", "explain", "staleness");
        Assert.Contains("staleness.max-versions = 2  eta:", section, StringComparison.Ordinal);
        Assert.Contains("rollout {...}", (await Shell.RunAsync("config", "explain")).Out, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("lr", "did you mean warmup.lr or algorithm.critic.lr or algorithm.lr?")]
    [InlineData("algorithm.lrr", "did you mean algorithm.lr?")]
    [InlineData("rollout.grup-size", "did you mean rollout.group-size?")]
    [InlineData("rollout.zzzzzzzz", "config explain rollout")]
    public async Task Explain_must_suggest_for_an_unknown_key(string key, string advice)
    {
        var (code, _, error) = await Shell.RunAsync("config", "explain", key);
        Assert.Equal(2, code);
        Assert.Contains(advice, error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Check_must_tell_every_mistake_in_one_pass_with_its_place()
    {
        var conf = _folder.File("bad.conf", $"include \"{Quickstart}\"\nrollout.gen-length = 6\ntask.length = 13\nreward.pools.answer.right-digits = 7\nlearner.shards = 0\n");
        var (code, output, _) = await Shell.RunAsync("config", "check", conf, "--json");
        Assert.Equal(2, code);
        var report = JsonElement.Parse(output);
        Assert.False(report.GetProperty("valid").GetBoolean());
        Assert.Equal(
            ["3 task.length = 13", "4 reward.pools.answer.right-digits = 7", "5 learner.shards must"],
            report.GetProperty("mistakes").EnumerateArray().Select(mistake => $"{mistake.GetProperty("line").GetInt32()} {string.Join(' ', mistake.GetProperty("message").GetString()!.Split(' ', ':').Take(mistake.GetProperty("line").GetInt32() == 5 ? 2 : 3))}"));
        var (_, _, room) = await Shell.RunAsync("config", "check", Quickstart, "--set", "rollout.gen-length = 6");
        Assert.Contains("--set:1:22  rollout.gen-length = 6: the answers of task sort5 take 5 tokens - write rollout.gen-length = 5", room, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Check_must_note_what_may_not_be_meant()
    {
        var (_, output, _) = await Shell.RunAsync("config", "check", Quickstart, "--set", "learner.shards = 7", "--set", "algorithm.clip-epsilon = 0.9", "--set", "topology { gpus-per-node = 2, roles.learner.device = \"cuda:1\" }");
        Assert.Contains("note   rollout.reveal = max-prob with behaviour-clip: importance ratios are exact on-policy only", output, StringComparison.Ordinal);
        Assert.Contains("note   algorithm.clip-epsilon = 0.9: 0.2 to 0.5 is usual for behaviour-clip, whose ratio is one per token", output, StringComparison.Ordinal);
        Assert.Contains("note   learner.shards = 7 of 32 prompts a step: shards of 4 and 5 prompts; even with 4 or 8", output, StringComparison.Ordinal);
        Assert.Contains("note   topology.gpus-per-node = 2: the roles use 1 of them", output, StringComparison.Ordinal);
        Assert.Contains("note   model.path = nowhere: no config.json is there now", (await Shell.RunAsync("config", "check", Quickstart, "--set", "model.path = nowhere")).Out, StringComparison.Ordinal);
        Assert.Contains("batch of 32 prompts x 16 = 512 rollouts, x 5 = 2,560 generated tokens", output, StringComparison.Ordinal);
        var (_, exact, _) = await Shell.RunAsync("config", "check", Quickstart, "--set", "rollout.reveal = random");
        Assert.DoesNotContain("note   rollout.reveal", exact, StringComparison.Ordinal);
        Assert.DoesNotContain("note   rollout.reveal", (await Shell.RunAsync("config", "check", Quickstart, "--set", "staleness.max-versions = 0")).Out, StringComparison.Ordinal);
    }

    [Fact]
    public void Page_of_all_settings_must_be_what_the_generator_prints()
    {
        var page = Path.Combine(Path.GetDirectoryName(Folder)!, "docs", "configuration.md");
        Assert.Equal(SettingsPage.Write(RunSettingsLoader.Guide(ShippedPlugins.All)), File.ReadAllText(page).ReplaceLineEndings("\n"));
    }

    [Fact]
    public async Task Commands_must_answer_in_well_under_a_second()
    {
        _ = await Shell.RunAsync("config", "check", Quickstart);
        foreach (string[] command in new[] { ["check", Quickstart], ["print", Quickstart, "--origins"], ["diff", Quickstart, Fixtures.Hocon("tasks/sort6.conf")], new[] { "explain", "algorithm.lr", Quickstart } })
        {
            var clock = Stopwatch.StartNew();
            Assert.Equal(0, (await Shell.RunAsync(["config", .. command])).Code);
            Assert.True(clock.Elapsed < TimeSpan.FromSeconds(1), $"config {command[0]} took {clock.Elapsed}");
        }
    }

    private static IEnumerable<string> Shipped() => Directory.EnumerateFiles(Folder, "*.conf", SearchOption.AllDirectories)
        .Select(path => Path.GetRelativePath(Folder, path)).Where(path => path != "reference.conf").Order(StringComparer.Ordinal);

    /// <summary>A run stands alone; everything else lies over the quickstart.</summary>
    private static string[] Conf(string file) =>
        file == "quickstart.conf" || Path.GetDirectoryName(file) is "tasks" or "experiments" or "data" ? [Path.Combine(Folder, file)] : [Quickstart, Path.Combine(Folder, file)];
}
