using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using Lateral.Actors.Settings;
using Lateral.Configuration;

namespace Lateral.Actors.Tests;

/// <summary>reference.conf and the settings records: no key is dead, no key is bare, no property is out of reach.</summary>
public sealed class ReferenceSpecs
{
    /// <summary>Sections that stand for themselves: kinds without keys of their own.</summary>
    private static readonly string[] Keyless = ["reward.kinds.sudoku", "reward.kinds.sudoku-exact", "reward.kinds.multiply", "reward.kinds.order", "reward.kinds.serial", "reward.kinds.integer-answer", "reward.kinds.d1-sudoku", "reward.kinds.spg-sudoku", "corrections.topr", "corrections.none", "objectives.masked", "objectives.next-token", "objectives.block"];

    private static readonly IReadOnlyList<ReferenceEntry> Entries = [.. RunSettingsLoader.Guide().Entries];

    private static readonly string Quickstart = Path.Combine(SettingsSpecs.FindHocon(), "quickstart.conf");

    private static readonly IReadOnlyList<string> Keys = [.. Entries.Where(entry => !entry.IsSection && !Keyless.Contains(entry.Path)).Select(entry => entry.Path)];

    public static TheoryData<string> Leaves() => [.. Keys];

    [Fact]
    public void Every_key_and_section_must_have_a_comment_above_it() =>
        Assert.Empty(Entries.Where(entry => entry.Comment.Length < 8).Select(entry => entry.Path));

    [Theory]
    [MemberData(nameof(Leaves))]
    public void Every_key_must_change_the_settings(string path) => Assert.NotEmpty(Effect(path));

    [Fact]
    public void Every_setting_must_have_a_key()
    {
        var reached = Keys.SelectMany(Effect).ToHashSet(StringComparer.Ordinal);
        // Computed from others, the sections that only plugins fill, and the absence of TLS and of files, whose keys go together.
        var all = Flatten(Json([])).Keys.Where(property => property is not ("Tls" or "Data") && !property.StartsWith("Ledger", StringComparison.Ordinal) && property is not ("Rollout.Spec.Blocks" or "Rollout.Spec.StepsPerBlock" or "SupervisedOnly"));
        Assert.Equal([], all.Except(reached));
    }

    /// <summary>The properties of the settings that some legal value of the key changes.</summary>
    private static HashSet<string> Effect(string path)
    {
        var beside = Beside(path);
        var before = Flatten(Json(beside));
        var refusals = new List<string>();
        var changed = new HashSet<string>(StringComparer.Ordinal);
        foreach (var candidate in Candidates(Entries.Single(entry => entry.Path == path)))
        {
            try
            {
                var after = Flatten(Json([.. beside, $"{path} = {candidate}"]));
                changed.UnionWith(before.Keys.Union(after.Keys).Where(property => before.GetValueOrDefault(property) != after.GetValueOrDefault(property)));
            }
            catch (ConfigException refused)
            {
                refusals.AddRange(refused.Errors.Select(error => error.Message));
            }
        }

        // A choice of one has no other legal value; that others are refused shows that it is read.
        if (changed.Count == 0 && refusals.Any(message => message.StartsWith($"{path} must be one of {Entries.Single(entry => entry.Path == path).Default}, got", StringComparison.Ordinal)))
            changed.Add(path is "algorithm.name" ? "Algorithm" : path);
        return changed;
    }

    /// <summary>What has to be chosen before a key of a catalogue means anything.</summary>
    private static string[] Beside(string path) => path.Split('.') switch
    {
        ["tasks", var name, ..] => ["task = null", $"task.name = {name}"],
        ["reward", "kinds", var kind, ..] => ["reward.pools.answer = null", $"reward.pools.other {{ kind = {kind} }}"],
        ["data", "max-bad-rows"] => ["task = null", "task.name = null", "data { train = a.jsonl, on-bad-row = skip }"],
        ["data", ..] => ["task = null", "task.name = null", "data.train = a.jsonl"],
        ["model", "adapter", ..] => ["model.path = models/a", "model.adapter.rank = 4"],
        // A completion's ratio has another range of epsilon than a token's.
        ["corrections", "dpo", ..] => ["algorithm.correction = dpo", "algorithm.granularity = sequence-sum"],
        ["corrections", "kto", ..] => ["algorithm.correction = kto", "algorithm.granularity = sequence-sum"],
        ["corrections", var name, ..] => [$"algorithm.correction = {name}"],
        ["likelihoods", var name, ..] => [$"algorithm.likelihood = {name}", "algorithm.correction = none"],
        ["algorithm", "train"] => ["rollout.reveal = unmasking-policy", "algorithm.granularity = step"],
        ["model", "attention"] => ["rollout { reveal = left-to-right, steps = null }", "warmup.steps = 0"],
        ["algorithm", "critic", ..] => ["algorithm.advantage = value-gae"],
        ["objectives", "next-token"] => ["model.attention = causal", "warmup.objective = next-token", "rollout { reveal = left-to-right, steps = null }"],
        ["objectives", var name, ..] => [$"warmup.objective = {name}"],
        ["rollout", "hints", ..] => ["rollout.hints.rollouts = 4"],
        ["rollout", "reveal-limit"] => ["rollout.reveal = threshold"],
        ["algorithm", "granularity"] => ["algorithm.correction = none"],
        ["journal", "kind"] => ["journal.connection-string = \"Host=here;Database=lateral;Username=lateral\""],
        // Nobody has the role of a rank unless there are some, and elsewhere.
        ["topology", "roles", "rank", "local"] => ["topology.cluster.dir = meet", "learner.ranks = 2"],
        // Where the others are has to be said, and only a server is written by two.
        ["topology", "roles", _, "local" or "nodes"] => ["topology.cluster.dir = meet", "journal { kind = postgres, connection-string = \"Host=here;Database=lateral;Username=lateral\", schema = lateral_first }"],
        // Blocks of one token need a step each.
        ["rollout", "block-length"] => ["rollout.steps = 5"],
        // All three or none.
        ["tls", _] => ["tls { ca = ca.pem, certificate = node.pem, key = key.pem }"],
        _ => [],
    };

    private static IEnumerable<string> Candidates(ReferenceEntry entry) => (entry.Path, entry.Value) switch
    {
        ("data.sha256", _) => [new string('a', 64)],
        ("reward.pools", _) => ["{ answer = null, other { kind = countdown } }"],
        ("topology.roles.sampler.devices" or "topology.roles.rank.devices", _) => ["{ \"cuda:1\" {} }"],
        ("topology.cluster.seeds", _) => ["[\"10.0.0.1:4053\"]"],
        ("topology.cluster.dns", _) => ["\"coordinators:4053\""],
        ("akka", _) => ["{ loglevel = DEBUG }"],
        ("model.adapter.targets", _) => ["[q_proj]"],
        ("journal.connection-string", _) => ["\"Host=here;Database=lateral;Username=lateral\""],
        ("journal.schema", _) => ["lateral_first"],
        ("journal.dir", _) => [JsonSerializer.Serialize(Path.GetTempPath())],
        // A secret comes from the environment, and this variable is set everywhere.
        ("journal.password", _) => ["${PATH}"],
        (_, ConfigScalar { Kind: ScalarKind.Number, Text: var text }) => Numbers(double.Parse(text, CultureInfo.InvariantCulture)),
        (_, ConfigScalar { Text: "on" or "off" }) => ["on", "off"],
        (_, ConfigScalar { Kind: ScalarKind.Null }) => ["1", "0", .. Texts(entry)],
        _ => ["7s", "127.0.0.2", "\"cuda:3\"", .. Texts(entry)],
    };

    private static IEnumerable<string> Numbers(double value) =>
        new[] { value + 1, value - 1, value * 2, value / 2, value * 10, value / 10 }.Select(number => number.ToString("R", CultureInfo.InvariantCulture));

    /// <summary>A comment names the words that a key takes.</summary>
    private static IEnumerable<string> Texts(ReferenceEntry entry) =>
        entry.Comment.Split(' ', ',', '.', ':', ';', '(', ')').Where(word => word.Length > 0).Distinct().Append("some-text").Select(word => JsonSerializer.Serialize(word));

    private static JsonNode Json(string[] sets) => JsonSerializer.SerializeToNode(RunSettingsLoader.Load([Quickstart], sets).Settings)!;

    private static Dictionary<string, string> Flatten(JsonNode? node, string path = "") => node switch
    {
        JsonObject o => o.SelectMany(field => Flatten(field.Value, path.Length == 0 ? field.Key : $"{path}.{field.Key}")).ToDictionary(),
        JsonArray a => a.SelectMany((item, i) => Flatten(item, $"{path}[{i}]")).ToDictionary(),
        _ => new() { [path] = node?.ToJsonString() ?? "null" },
    };
}
