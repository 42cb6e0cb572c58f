using System.Text.Json;
using Lateral.Actors.Settings;
using Lateral.Configuration;
using Lateral.Core.Runs;

namespace Lateral.Actors.Tests;

public sealed class SettingsSpecs
{
    private static readonly string Folder = FindHocon();

    private static string Quickstart => Path.Combine(Folder, "quickstart.conf");

    public static TheoryData<string> Files() => [.. Directory.EnumerateFiles(Folder, "*.conf", SearchOption.AllDirectories)
        .Select(path => Path.GetRelativePath(Folder, path)).Where(path => path != "reference.conf").Order(StringComparer.Ordinal)];

    [Theory]
    [MemberData(nameof(Files))]
    public void Shipped_file_must_load(string file)
    {
        // An overlay is half a run: it lies over the quickstart.
        string[] files = file.StartsWith("overlays", StringComparison.Ordinal) || file.StartsWith("persistence", StringComparison.Ordinal) ? [Quickstart, Path.Combine(Folder, file)] : [Path.Combine(Folder, file)];
        Assert.NotEmpty(RunSettingsLoader.Load(files, []).Settings.Pools);
    }

    [Fact]
    public void Quickstart_must_hold_the_calibrated_recipe()
    {
        var settings = Load();
        Assert.Equal(("quickstart", 240, 1UL, false, 2), (settings.Name, settings.Steps, settings.Seed, settings.Deterministic, settings.MaxStaleness));
        Assert.Equal(Path.Combine("runs", "quickstart"), settings.Directory);
        Assert.Equal((32, 16, new(5, 5, 3, 1.0, "max-prob", true)), (settings.Rollout.GroupsPerStep, settings.Rollout.GroupSize, settings.Rollout.Spec));
        Assert.Equal(new(400, 256, 3e-3, 50), settings.Warmup);
        Assert.Equal(new(null, new(64, 3, 4, 128)), settings.Model);
        Assert.Equal(
            new("behaviour-clip", 0.2, 3, "group-z", 2e-4, 10, "linear", 0.1, 0.9, 0.999, 1e-8, 0, 1, 1, 8, 16_384, 0),
            settings.Learner);
        Assert.Equal(new("answer", "sort", 4, 1, TimeSpan.FromSeconds(5), 0), Assert.Single(settings.Pools));
        Assert.Equal(new(40, 512, 2048, 8), settings.Evaluation);
        Assert.Equal(new(1, 3), settings.Checkpoint);
        Assert.Equal("sort5", settings.Task.Name);
        Assert.Equal(["descending-fraction=0.5", "held-out-prompts=2048", "length=5"], settings.Task.Parameters.Select(p => $"{p.Key}={p.Value}"));
        Assert.Equal("{}", settings.AkkaOverrides);
    }

    [Fact]
    public void Resolved_tree_must_load_again_to_the_same_settings()
    {
        var first = RunSettingsLoader.Load([Quickstart], ["akka.loglevel = DEBUG", "rollout.temperature = 0.9"]);
        var json = Path.Combine(Path.GetTempPath(), $"{Guid.NewGuid():N}.json");
        try
        {
            File.WriteAllText(json, CanonicalJson.Write(first.Resolved, indented: true));
            var again = RunSettingsLoader.Load([json], []);
            Assert.Equal(CanonicalJson.Write(first.Resolved), CanonicalJson.Write(again.Resolved));
            Assert.Equal(JsonSerializer.Serialize(first.Settings), JsonSerializer.Serialize(again.Settings));
            Assert.Equal("""{"loglevel":"DEBUG"}""", again.Settings.AkkaOverrides);
        }
        finally
        {
            File.Delete(json);
        }
    }

    [Fact]
    public void Later_layers_must_win()
    {
        var overlaid = RunSettingsLoader.Load([Quickstart, Path.Combine(Folder, "overlays", "async.conf")], []).Settings;
        Assert.Equal(4, overlaid.MaxStaleness);
        Assert.Equal(1, Load("staleness.max-versions = 4", "staleness.max-versions = 1").MaxStaleness);
        Assert.Equal("a b", RunSettingsLoader.Load([Quickstart], [RunSettingsLoader.Set("task.held-out-prompts", "9"), RunSettingsLoader.Set("model.path", "a b")]).Settings.Model.Path);
    }

    [Fact]
    public void Pool_must_take_over_defaults_where_it_says_nothing()
    {
        var settings = Load("reward.defaults { workers = 7, timeout = 2s }", "reward.pools.shape { kind = sort, weight = 0.25, timeout = 1s }");
        var pool = settings.Pools.Single(p => p.Name == "shape");
        Assert.Equal((7, 0.25, TimeSpan.FromSeconds(1), 0.0), (pool.Workers, pool.Weight, pool.Timeout, pool.FaultReward));
    }

    [Theory]
    [InlineData("rollout.block-length = 2", "rollout.block-length must divide gen-length (5), got 2")]
    [InlineData("rollout { gen-length = 6, block-length = 3, steps = 3 }", "rollout.steps must be a multiple of the number of blocks (6 / 3 = 2), got 3")]
    [InlineData("rollout.steps = 6", "rollout.steps must be at most gen-length (5)")]
    [InlineData("rollout.gen-length = null", "rollout.gen-length must be set")]
    [InlineData("rollout.group-size = 1", "rollout.group-size must be a whole number from 2 to 1024, got 1")]
    [InlineData("rollout.temperature = 0", "rollout.temperature must be above 0: a greedy rollout has no importance ratio")]
    [InlineData("rollout.temperature = hot", "rollout.temperature must be a number from 0 to 10, got \"hot\"")]
    [InlineData("rollout.reveal = max-porb", "did you mean max-prob?")]
    [InlineData("rollout.deadline = 30", "write 30s or 30ms")]
    [InlineData("algorithm.correction = behavior-clip", "did you mean behaviour-clip?")]
    [InlineData("algorithm.advantage = group-y", "algorithm.advantage must be one of group-mean, group-z")]
    [InlineData("algorithm.lr-schedule.decay = liner", "did you mean linear?")]
    [InlineData("algorithm.lr = 0", "algorithm.lr must be a number from 1E-12 to 1, got 0")]
    [InlineData("algorithm.clip-epsilon = 1", "algorithm.clip-epsilon must be a number from 0.001 to 0.999, got 1")]
    [InlineData("algorithm.dual-clip = 1.1", "algorithm.dual-clip must be 0 (off) or above 1 + clip-epsilon (1.2), got 1.1")]
    [InlineData("algorithm.beta2 = 1", "algorithm.beta2 must be a number from 0 to 0.999999, got 1")]
    [InlineData("algorithm.step-subset = 4", "algorithm.step-subset must be at most rollout.steps (3), got 4")]
    [InlineData("algoritm.lr = 1", "unknown key algoritm - did you mean algorithm?")]
    [InlineData("algorithm.learning-rat = 1", "unknown key algorithm.learning-rat")]
    [InlineData("reward.pools.answer.wieght = 1", "unknown key reward.pools.answer.wieght - did you mean reward.pools.answer.weight?")]
    [InlineData("reward.pools = null", "reward.pools")]
    [InlineData("reward.pools.a/b { kind = sort }", "'/' separates a pool from its parts")]
    [InlineData("staleness.max-versions = 9", "staleness.max-versions must be a whole number from 0 to 8, got 9")]
    [InlineData("staleness.max-versions = two", "got \"two\"")]
    [InlineData("deterministic = on, compute.threads = 2", "compute.threads must be 1 with deterministic = on, got 2")]
    [InlineData("learner.shards = 513", "learner.shards must be at most the 512 rollouts of a batch (32 groups x 16), got 513")]
    [InlineData("learner.micro-batch-tokens = 5", "learner.micro-batch-tokens must hold one rollout")]
    [InlineData("model.size.heads = 5", "model.size.width must be an even multiple of heads (5), got 64")]
    [InlineData("topology.roles.sampler.devices = [gpu]", "topology.roles.sampler.devices must name cpu, or cuda:0, cuda:1, ..., got \"gpu\"")]
    [InlineData("topology.roles.sampler.devices = [cpu, cpu]", "names a device twice")]
    [InlineData("topology.roles.sampler.devices = []", "must name at least one device")]
    [InlineData("topology.host = 10.0.0.1", "topology.host must be a loopback address")]
    [InlineData("run.name = \"../x\"", "run.name must be letters, digits")]
    [InlineData("journal.kind = mysql", "journal.kind must be one of sqlite, postgres")]
    [InlineData("task.name = sort7", "task.name must be one of sort5, sort6, sudoku, countdown")]
    [InlineData("task.name = null", "task.name must be set: one of sort5, sort6, sudoku, countdown")]
    [InlineData("task.length = five", "task.length must be a number, got \"five\"")]
    [InlineData("task.lenght = 5", "unknown key task.lenght - did you mean task.length?")]
    public void Mistake_must_be_named_with_its_place_and_advice(string set, string message)
    {
        var error = Assert.Throws<ConfigException>(() => Load(set));
        Assert.Contains(error.Errors, e => e.Message.Contains(message, StringComparison.Ordinal));
    }

    [Fact]
    public void Mistakes_must_be_reported_all_at_once_with_file_and_line()
    {
        var error = Assert.Throws<ConfigException>(() => Load("rollout.gruop-size = 8", "algorithm.lr = ten", "eval.every = -1"));
        Assert.Equal(["--set:1", "--set:2", "--set:3"], error.Errors.Select(e => $"{e.Origin.Source}:{e.Origin.Line}").Order(StringComparer.Ordinal));
    }

    [Fact]
    public void Notes_and_akka_keys_must_be_free() =>
        Assert.Contains("\"loglevel\":\"INFO\"", Load("x-note = anything", "akka { loglevel = INFO, actor.whatever = 1 }").AkkaOverrides, StringComparison.Ordinal);

    [Fact]
    public void Every_default_must_have_a_comment_above_it()
    {
        var lines = File.ReadAllLines(Path.Combine(Folder, "reference.conf"));
        var bare = new List<string>();
        for (var i = 0; i < lines.Length; i++)
        {
            // sort6 repeats sort5's keys.
            if (lines[i].Contains("sort6 {", StringComparison.Ordinal)) while (lines[i].Trim() != "}") i++;
            if (lines[i].Contains('=', StringComparison.Ordinal) && !lines[i].TrimStart().StartsWith('#') && !lines[i - 1].TrimStart().StartsWith('#')) bare.Add(lines[i]);
        }

        Assert.Empty(bare);
    }

    private static RunSettings Load(params string[] sets) => RunSettingsLoader.Load([Quickstart], sets).Settings;

    private static string FindHocon()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(folder.FullName, "Actors.sln"))) folder = folder.Parent!;
        return Path.Combine(folder.FullName, "hocon");
    }
}
