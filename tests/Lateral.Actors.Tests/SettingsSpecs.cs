using System.Collections.Immutable;
using System.Text.Json;
using Lateral.Actors.Settings;
using Lateral.Configuration;
using Lateral.Core.Learning;
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
        // Runs stand alone; everything else is half a run and lies over the quickstart.
        var alone = file == "quickstart.conf" || file.StartsWith("tasks", StringComparison.Ordinal) || file.StartsWith("data", StringComparison.Ordinal) || file.StartsWith("experiments", StringComparison.Ordinal);
        string[] files = alone ? [Path.Combine(Folder, file)] : [Quickstart, Path.Combine(Folder, file)];
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
            new(
                MethodSettings.Of("trajectory", ("step-subset", 0)), RatioGranularity.Token, MethodSettings.Of("behaviour-clip", ("clip-epsilon", 0.2), ("dual-clip", 3)), "group-z",
                2e-4, 10, "linear", 0.1, 0.9, 0.999, 1e-8, 0, 1, 1, 8, 16_384),
            settings.Learner);
        var pool = Assert.Single(settings.Pools);
        Assert.Equal(new("answer", "sort", 4, 1, TimeSpan.FromSeconds(5), 0), pool with { Parameters = ImmutableSortedDictionary<string, string>.Empty });
        Assert.Equal(KeyValuePair.Create("right-digits", "0"), Assert.Single(pool.Parameters));
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
    [InlineData("rollout.block-length = 2", "rollout.block-length must divide gen-length (5), got 2 - write block-length = 1 or 5")]
    [InlineData("rollout { gen-length = 6, block-length = 3, steps = 3 }", "rollout.steps must be a multiple of the number of blocks (6 / 3 = 2), got 3 - write steps = 2 or 4")]
    [InlineData("rollout.steps = 6", "rollout.steps must be at most gen-length (5)")]
    [InlineData("rollout.gen-length = null", "rollout.gen-length must be set")]
    [InlineData("rollout.group-size = 1", "rollout.group-size must be a whole number from 2 to 1024, got 1")]
    [InlineData("rollout.temperature = 0", "rollout.temperature must be above 0: a greedy rollout has no importance ratio")]
    [InlineData("rollout.temperature = hot", "rollout.temperature must be a number from 0 to 10, got \"hot\"")]
    [InlineData("rollout { gen-length = 1024, steps = 1024, reveal = plackett-luce-sampled }", "rollout.reveal = plackett-luce-sampled records the 523,776 tokens that stay masked in a rollout, and at most 131,072 fit - lower rollout.block-length (1024) or rollout.steps (1024)")]
    [InlineData("rollout { gen-length = 8, block-length = 4, steps = 2, reveal = bernoulli }", "rollout.steps must be more than one a block with reveal = bernoulli, because the last step of a block reveals all that is left, got 2 - write steps = 4")]
    [InlineData("rollout.reveal = max-porb", "did you mean max-prob?")]
    [InlineData("rollout.deadline = 30", "write 30s or 30ms")]
    [InlineData("algorithm.correction = behavior-clip", "did you mean behaviour-clip?")]
    [InlineData("algorithm.advantage = group-y", "algorithm.advantage must be one of group-mean, group-z")]
    [InlineData("algorithm.lr-schedule.decay = liner", "did you mean linear?")]
    [InlineData("algorithm.lr = 0", "algorithm.lr must be a number from 1e-12 to 1, got 0 - write lr = 1e-4")]
    [InlineData("algorithm.lr = ten", "algorithm.lr must be a number from 1e-12 to 1, got \"ten\" - write lr = 1e-4")]
    [InlineData("reward.pools.answer.workers = many", "reward.pools.answer.workers must be a whole number from 1 to 4096, got \"many\" - write workers = 4")]
    [InlineData("task.descending-fraction = half", "task.descending-fraction must be a number, got \"half\" - write descending-fraction = 0.5")]
    [InlineData("tasks.sort5.lenght = 5", "unknown key tasks.sort5.lenght - did you mean tasks.sort5.length?")]
    [InlineData("tasks.sort7 { length = 7 }", "unknown key tasks.sort7 - did you mean tasks.sort5?")]
    [InlineData("reward.pools.answer.kind = sotr", "reward.pools.answer.kind must be one of {kinds}, got \"sotr\" - did you mean sort?")]
    [InlineData("reward.pools.answer.right-numbers = 1", "unknown key reward.pools.answer.right-numbers")]
    [InlineData("algorithm.clip-epsilon = 1", "algorithm.clip-epsilon must be a number from 1e-6 to 0.999, got 1 - write clip-epsilon = 0.2")]
    [InlineData("algorithm.clip-epsilon = 3e-4", "algorithm.clip-epsilon must be 0.01 to 0.999 with correction = behaviour-clip, got 3e-4: its ratio is one per token, where 0.2 to 0.5 is usual")]
    [InlineData("algorithm.dual-clip = 1.1", "algorithm.dual-clip must be 0 (off) or above 1 + clip-epsilon (1.2), got 1.1")]
    [InlineData("algorithm.critic.gamma = 1.1", "algorithm.critic.gamma must be a number from 0 to 1, got 1.1")]
    [InlineData("algorithm.critic.lambda = -0.1", "algorithm.critic.lambda must be a number from 0 to 1, got -0.1")]
    [InlineData("algorithm { advantage = value-gae, granularity = sequence, clip-epsilon = 4e-4 }", "algorithm.advantage must be one of groups with granularity = sequence, got value-gae: a value is one of a token")]
    [InlineData("algorithm { advantage = step-return, granularity = sequence, clip-epsilon = 4e-4 }", "algorithm.advantage must be one of groups with granularity = sequence, got step-return: a return is one of a step, and a completion has but one loss")]
    [InlineData("rollout.hints.rollouts = 15", "rollout.hints.rollouts must leave two rollouts of a group (16) without hints, got 15 - write rollouts = 14")]
    [InlineData("rollout.hints { rollouts = 4, least = 0.7 }", "rollout.hints.least must be at most hints.most (0.6), got 0.7")]
    [InlineData("rollout.hints.rollouts = 4, algorithm.likelihood = coupled", "rollout.hints.rollouts must be 0 with algorithm.likelihood = coupled: its masks would ask about tokens that were given")]
    [InlineData("rollout { hints.rollouts = 4, reveal = plackett-luce }", "rollout.hints.rollouts must be 0 with rollout.reveal = plackett-luce: the order is part of what is learned from")]
    [InlineData("rollout.hints.rollouts = 4, algorithm.advantage = value-gae", "rollout.hints.rollouts must be 0 with algorithm.advantage = value-gae")]
    [InlineData("model.attention = causal, rollout { reveal = left-to-right, steps = null }", "warmup.objective must be next-token with model.attention = causal, got masked")]
    [InlineData("warmup.objective = next-token", "warmup.objective must be another than next-token with model.attention = full")]
    [InlineData("model.attention = causal, warmup.objective = next-token", "rollout.reveal must be left-to-right with model.attention = causal, got max-prob")]
    [InlineData("model.attention = causal, warmup.objective = next-token, rollout { reveal = left-to-right, steps = 3 }", "rollout.steps must be gen-length (5) with model.attention = causal, got 3")]
    [InlineData("model.attention = causal, warmup.objective = next-token, rollout { reveal = left-to-right, steps = null }, algorithm.likelihood = coupled", "algorithm.likelihood must be trajectory with model.attention = causal, got coupled")]
    [InlineData("model.attention = causal, warmup.objective = next-token, rollout { reveal = left-to-right, steps = null }, algorithm.advantage = step-return", "algorithm.advantage must be another than step-return with model.attention = causal")]
    [InlineData("algorithm.advantage = value-gae, learner.ranks = 2", "learner.ranks must be 1 with algorithm.advantage = value-gae, got 2: the value model is on the learner's device only - write ranks = 1")]
    [InlineData("algorithm.train = token", "algorithm.train must be both with rollout.reveal = max-prob: only a model whose order is learned has two policies - write train = both, or rollout.reveal = unmasking-policy")]
    [InlineData("rollout.reveal = unmasking-policy", "algorithm.granularity must be step or sequence-sum with rollout.reveal = unmasking-policy, got token: the order is no part of it, so nothing would teach it - write granularity = step, or train = token")]
    [InlineData("rollout.reveal = unmasking-policy, algorithm { likelihood = elbo, correction = none }", "algorithm.likelihood must be trajectory with rollout.reveal = unmasking-policy, got elbo: the order is no part of an estimate")]
    [InlineData("algorithm.unmasking-rate = 0", "algorithm.unmasking-rate must be a number from 0.001 to 1000, got 0")]
    [InlineData("algorithm.beta2 = 1", "algorithm.beta2 must be a number from 0 to 0.999999, got 1")]
    [InlineData("algorithm.step-subset = 4", "algorithm.step-subset must be at most rollout.steps (3), got 4")]
    [InlineData("algoritm.lr = 1", "unknown key algoritm - did you mean algorithm?")]
    [InlineData("algorithm.learning-rat = 1", "unknown key algorithm.learning-rat")]
    [InlineData("reward.pools.answer.wieght = 1", "unknown key reward.pools.answer.wieght - did you mean reward.pools.answer.weight?")]
    [InlineData("journal.dir = journals", "journal.dir = journals: must be an absolute path, because a resume may start in another folder - write dir = /var/lib/lateral")]
    [InlineData("journal { kind = postgres, connection-string = \"Host=h;Database=d;Username=u\", dir = /var/lib/lateral }", "journal.dir = /var/lib/lateral: it is for the files of kind = sqlite, and with kind = postgres the server keeps the journal - write dir = null")]
    [InlineData("journal.backup-every = 500ms", "journal.backup-every must be a duration with its unit (ms, s, m, h, d) from 1s to 1d")]
    [InlineData("journal.schema = First", "journal.schema = First: must be lateral_ and up to 55 lower-case letters, digits and underscores - write schema = lateral_first")]
    [InlineData("reward.pools = null", "reward.pools")]
    [InlineData("reward.step-cost = 1.5", "reward.step-cost must be a number from 0 to 1, got 1.5")]
    [InlineData("reward = 5", "reward must be a section, got 5")]
    [InlineData("reward = null", "section reward is missing")]
    [InlineData("reward { kinds = null, pools = null }", "section reward.kinds is missing")]
    [InlineData("reward.kinds.sort = null", "section reward.kinds.sort is missing")]
    [InlineData("reward.pools.a/b { kind = sort }", "'/' separates a pool from its parts")]
    [InlineData("staleness.max-versions = 17", "staleness.max-versions must be a whole number from 0 to 16, got 17")]
    [InlineData("staleness.max-versions = two", "got \"two\"")]
    [InlineData("deterministic = on, compute.threads = 2", "compute.threads must be 1 with deterministic = on, got 2")]
    [InlineData("learner.shards = 513", "learner.shards must be at most the 512 rollouts of a batch (32 groups x 16), got 513 - write shards = 32")]
    [InlineData("learner.micro-batch-tokens = 5", "learner.micro-batch-tokens must hold one rollout")]
    [InlineData("model.size.heads = 5", "model.size.width must be an even multiple of heads (5), got 64")]
    [InlineData("topology.roles.sampler.devices { gpu {} }", "topology.roles.sampler.devices.gpu must name cpu, or cuda:0, cuda:1, ..., got \"gpu\"")]
    [InlineData("topology.roles.sampler.devices.cuda {}", "got \"cuda\" - write the index too, in quotes because of the colon: \"cuda:0\"")]
    [InlineData("topology.roles.sampler.devices = [cpu, \"cuda:0\"]", "topology.roles.sampler.devices must be a map, so that another file can add or remove a device - write devices { cpu {}, \"cuda:0\" {} }")]
    [InlineData("topology.roles.sampler.devices = [cpu, cpu]", "write devices { cpu {} }")]
    [InlineData("topology.roles.sampler.devices = \"cuda:1\"", "topology.roles.sampler.devices must be a map, so that another file can add or remove a device - write devices { \"cuda:1\" {} }")]
    [InlineData("topology.roles.sampler.devices.cpu.slot = 3", "unknown key topology.roles.sampler.devices.cpu.slot")]
    [InlineData("learner.ranks = 0", "learner.ranks must be a whole number from 1 to 1024, got 0")]
    [InlineData("learner.ranks = 2, policies.transport = shared-dir, topology.cluster.seeds = \"10.0.0.1:4053\"", "learner.ranks = 2, but policies.transport = shared-dir: ranks of other processes send their gradients over HTTP")]
    [InlineData("topology { gpus-per-node = 1, roles.rank.devices.\"cuda:1\" {} }", "topology.roles.rank.devices.\"cuda:1\" names cuda:1, but there is only cuda:0 (topology.gpus-per-node = 1 at --set:1:28)")]
    [InlineData("topology { gpus-per-node = 2, roles.learner.device = \"cuda:2\" }", "topology.roles.learner.device names cuda:2, but there are only cuda:0 .. cuda:1 (topology.gpus-per-node = 2 at --set:1:28) - name one of them (1 are named)")]
    [InlineData("topology { gpus-per-node = 0, roles.sampler.devices.\"cuda:0\" {} }", "topology.roles.sampler.devices.\"cuda:0\" names cuda:0, but there is no CUDA device (topology.gpus-per-node = 0")]
    [InlineData("topology.roles { sampler.devices { \"cuda:0\" {} }, learner.device = \"cuda:0\" }", "topology.roles.learner.device = cuda:0 is a sampler's device, too (topology.roles.sampler.devices.\"cuda:0\" at --set:1:36): two roles, 1 device")]
    [InlineData("topology.host = 10.0.0.1", "topology.host must be a loopback address such as 127.0.0.1 without TLS, got \"10.0.0.1\" - anybody could join; make certificates with lateral certs init and issue")]
    [InlineData("topology.host = 0.0.0.0", "topology.host must be a loopback address")]
    [InlineData("tls { ca = ca.crt, certificate = node.crt }", "tls.key must be set, too, as tls.ca is - write key = \"certs/NODE.key\"")]
    [InlineData("tls.key = node.key", "tls.ca must be set, too, as tls.key is - write ca = \"certs/ca.crt\"")]
    [InlineData("policies.transport = htpp", "policies.transport must be one of http, shared-dir, got \"htpp\" - did you mean http?")]
    [InlineData("policies.stall = 10ms", "policies.stall must be a duration with its unit (ms, s, m, h, d) from 100ms to 10m")]
    [InlineData("policies.token = abc", "unknown key policies.token -")]
    [InlineData("run.name = \"../x\"", "run.name must be letters, digits")]
    [InlineData("journal.kind = mysql", "journal.kind must be one of sqlite, postgres, got \"mysql\"")]
    [InlineData("journal.kind = postgres", "journal.kind = postgres needs journal.connection-string")]
    [InlineData("task.name = sort7", "task.name must be one of sort5, sort6, sudoku, countdown, multiply, order, serial")]
    [InlineData("task.name = null", "task.name must be set: one of sort5, sort6, sudoku, countdown, multiply, order, serial - write name = sort5")]
    [InlineData("warmup.objective = dto", "warmup.objective must be one of masked, block, dot, dot-mp, next-token, got \"dto\" - did you mean dot?")]
    [InlineData("warmup { objective = dot, gold-floor = 1.1 }", "warmup.gold-floor must be a number from 0 to 1, got 1.1 - write gold-floor = 0.95")]
    [InlineData("objectives.dot-mp.glance = often", "objectives.dot-mp.glance must be a number from 0 to 1, got \"often\" - write glance = 0.1")]
    [InlineData("warmup.gold-flor = 0.9", "unknown key warmup.gold-flor")]
    [InlineData("eval.vote = 16", "eval.vote must be at most eval.samples (8), which are what votes, got 16 - write samples = 16, or vote = 8")]
    [InlineData("task.length = five", "task.length must be a number, got \"five\"")]
    [InlineData("task.lenght = 5", "unknown key task.lenght - did you mean task.length?")]
    public void Mistake_must_be_named_with_its_place_and_advice(string set, string message)
    {
        var error = Assert.Throws<ConfigException>(() => Load(set));
        message = message.Replace("{kinds}", RewardKinds, StringComparison.Ordinal);
        Assert.Contains(error.Errors, e => e.Message.Contains(message, StringComparison.Ordinal));
    }

    /// <summary>The reward kinds of reference.conf, in its order.</summary>
    internal static string RewardKinds => string.Join(", ", RunSettingsLoader.Guide().Entries.Select(entry => entry.Path.Split('.')).Where(path => path is ["reward", "kinds", _]).Select(path => path[2]));

    [Fact]
    public void Host_that_others_reach_must_be_allowed_with_tls()
    {
        var settings = Load("topology.host = 10.0.0.1", "tls { ca = ca.crt, certificate = node.crt, key = node.key }");
        Assert.Equal(("10.0.0.1", new("ca.crt", "node.crt", "node.key")), (settings.Topology.Host, settings.Tls));
        Assert.Null(Load().Tls);
    }

    [Fact]
    public void Policies_must_be_read_as_written()
    {
        Assert.Equal(new("http", 0, null, null, 16, TimeSpan.FromSeconds(10), TimeSpan.FromMinutes(10), 1e-4), Load().Policies);
        Assert.Equal(
            new("shared-dir", 7777, "token", "/cache", 3, TimeSpan.FromSeconds(1), TimeSpan.FromHours(1), .5),
            Load("policies { transport = shared-dir, port = 7777, token-file = token, cache-dir = /cache, downloads = 3, stall = 1s, deadline = 1h, canary-limit = 0.5 }").Policies);
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
    public void Devices_must_be_added_and_removed_by_name()
    {
        const string two = "topology.roles.sampler.devices { \"cuda:0\" {}, \"cuda:1\" {} }";
        Assert.Equal("cpu", Devices());
        Assert.Equal("cuda:0 cuda:1", Devices(two));
        Assert.Equal("cuda:1", Devices(two, "topology.roles.sampler.devices.\"cuda:0\" = null"));
        var eight = RunSettingsLoader.Load([Quickstart, Path.Combine(Folder, "topologies", "eight-gpus.conf")], []).Settings.Topology;
        Assert.Equal((7, "cuda:7", 8), (eight.SamplerDevices.Length, eight.LearnerDevice, eight.GpusPerNode));
        Assert.True(Load("topology { share-devices = on, roles { sampler.devices { \"cuda:0\" {} }, learner.device = \"cuda:0\" } }").Topology.ShareDevices);

        static string Devices(params string[] sets) => string.Join(' ', Load(sets).Topology.SamplerDevices);
    }

    [Fact]
    public void Missing_key_must_point_at_what_the_user_wrote_and_not_at_the_reference()
    {
        var options = new HoconOptions { ReadFile = path => path == "half.conf" ? "x-note = 1\nrollout {\n  group-size = 4\n}\n" : null };
        var errors = Assert.Throws<ConfigException>(() => RunSettingsLoader.Load(["half.conf"], [], options)).Errors;
        Assert.Equal(["half.conf:1:1  task.name", "half.conf:1:1  reward.pools", "half.conf:2:9  rollout.gen-length"], errors.Select(error => $"{error.Origin}  {error.Message.Split(' ')[0]}"));
    }

    [Fact]
    public void Text_that_cannot_be_read_must_not_be_blamed_for_what_is_missing()
    {
        var errors = Assert.Throws<ConfigException>(() => RunSettingsLoader.Load(["nowhere.conf"], ["algorithm.lr = x"])).Errors;
        Assert.Equal(["nowhere.conf", "--set:1:16"], errors.Select(error => error.Origin.ToString()));
    }

    [Theory]
    [InlineData("run.name = me@home\nrun.seed = first", "t.conf:2:14", "t.conf:3:12")]
    [InlineData("x-list = [, a]\nrollout.gruop-size = 8\nrun.seed = first", "t.conf:2:11", "t.conf:4:12")]
    public void Slip_in_the_text_must_not_hide_wrong_values_nor_be_told_twice(string text, params string[] places)
    {
        var options = new HoconOptions { ReadFile = path => path == "t.conf" ? $"include file(\"{Quickstart.Replace('\\', '/')}\")\n{text}\n" : File.Exists(path) ? File.ReadAllText(path) : null };
        var errors = Assert.Throws<ConfigException>(() => RunSettingsLoader.Load(["t.conf"], [], options)).Errors;
        Assert.Equal(places, errors.Select(error => error.Origin.ToString()));
    }

    private static RunSettings Load(params string[] sets) => RunSettingsLoader.Load([Quickstart], sets).Settings;

    internal static string FindHocon()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(folder.FullName, "Actors.sln"))) folder = folder.Parent!;
        return Path.Combine(folder.FullName, "hocon");
    }
}
