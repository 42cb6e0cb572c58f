using System.Text.Json;
using Lateral.Actors;
using Lateral.Core.Runs;
using Lateral.Node.Cli;

namespace Lateral.Node.Tests;

/// <summary>What is known of a run before it starts, and what a service manager starts again and again.</summary>
[Collection(TrainedRunTests.Name)]
public sealed class StartingTests(TrainedRun trained) : IDisposable
{
    private const string AllRoles = "coordinator,sampler,reward,learner";

    private readonly TemporaryFolder _folder = trained.Copy();

    public void Dispose() => _folder.Dispose();

    private string Runs => Path.Combine(_folder.Path, "runs");

    private string Conf => Path.Combine(_folder.Path, "first.conf");

    [Fact]
    public async Task Dry_run_must_tell_the_batch_arithmetic_and_write_nothing()
    {
        var before = TrainedRun.Hashes(_folder.Path);
        var (code, output, _) = await Shell.RunAsync("train", Fixtures.Hocon("quickstart.conf"), "--dry-run", "--runs-dir", Runs);
        Assert.Equal(0, code);
        // 32 prompts x 16 rollouts x 5 tokens, 240 steps.
        Assert.Contains("  prompts      32 a step, 7,680 in all, from prompt 0 on; 2,048 held out", output, StringComparison.Ordinal);
        Assert.Contains("  rollouts     512 a step (32 x 16), 122,880 in all", output, StringComparison.Ordinal);
        Assert.Contains("  tokens       2,560 a step (512 x 5), 614,400 in all", output, StringComparison.Ordinal);
        Assert.Contains($"would write to {Path.Combine(Runs, "quickstart")}", output, StringComparison.Ordinal);
        Assert.Contains("libtorch was not loaded", output, StringComparison.Ordinal);
        var json = JsonElement.Parse((await Shell.RunAsync("train", Fixtures.Hocon("quickstart.conf"), "--dry-run", "--json", "--runs-dir", Runs)).Out);
        Assert.Equal((614_400, 2560), (json.GetProperty("total").GetProperty("tokens").GetInt64(), json.GetProperty("perStep").GetProperty("tokens").GetInt64()));
        Assert.Equal(before, TrainedRun.Hashes(_folder.Path));
    }

    [Theory]
    [InlineData(2, "run 'first' exists", "run.name = first")]
    [InlineData(2, "no model there", "model.path = nowhere")]
    [InlineData(2, "run.first-prompt must be a whole number from 0 to 140737488355328", "run.first-prompt = -1")]
    [InlineData(2, "rollout.gen-length = 15", "rollout.gen-length = 15", "rollout.steps = 5")]
    [InlineData(3, "device cuda:99 does not exist", "topology.roles.learner.device = \"cuda:99\"")]
    public async Task Dry_run_must_refuse_what_the_run_would(int expected, string message, params string[] sets)
    {
        string[] given = sets[0] == "run.name = first" ? ["--name", "first"] : ["--name", "other", .. sets.SelectMany(set => new[] { "--set", set })];
        var (code, _, error) = await Shell.RunAsync(["train", Conf, .. given, "--dry-run", "--runs-dir", Runs]);
        Assert.Equal(expected, code);
        Assert.Contains(message, error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task First_prompt_must_shift_what_a_run_is_trained_on()
    {
        await Done("train", Conf, "--name", "later", "--set", "run.first-prompt = 8", "--set", "run.steps = 1", "--runs-dir", Runs);
        Assert.Equal(Prompts("first", 3), Prompts("later", 1));
    }

    [Fact]
    public async Task Node_must_begin_the_run_go_on_with_it_and_be_content_when_it_is_done()
    {
        string[] node = ["node", Conf, "--role", "coordinator,sampler", "--role", "reward", "--role", "learner", "--runs-dir", Runs, "--name", "service"];
        await Done([.. node, "--set", "run.steps = 1"]);
        var base1 = TrainedRun.Hash(Path.Combine(Runs, "service", "checkpoints", "step_0", "model.safetensors"));
        await Done(node);
        await Done(node);
        Assert.Equal(base1, TrainedRun.Hash(Path.Combine(Runs, "service", "checkpoints", "step_0", "model.safetensors")));
        Assert.Equal([1, 2, 3, 4], File.ReadAllLines(Path.Combine(Runs, "service", "metrics.jsonl")).Select(line => JsonElement.Parse(line).GetProperty("step").GetInt32()));
        await Done("runs", "verify", "service", "--runs-dir", Runs);
    }

    [Fact]
    public async Task Node_must_refuse_a_configuration_that_the_existing_run_cannot_take_over()
    {
        var (code, _, error) = await Shell.RunAsync("node", Conf, "--role", AllRoles, "--runs-dir", Runs, "--set", "algorithm.lr = 0.5");
        Assert.Equal(2, code);
        Assert.Contains("a resume cannot change algorithm.lr", error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("--role sampler,reward: nobody would be coordinator, learner - say where the other nodes are", "reward, sampler")]
    [InlineData("--role smapler: no such role; did you mean sampler?", "coordinator", "smapler")]
    [InlineData("--role gpu: no such role; there are coordinator, sampler, reward, learner, rank", "gpu")]
    [InlineData("--role rank: learner.ranks = 1, so the learner gives no shard away; write learner.ranks = 2", "rank")]
    [InlineData("--role is missing: what does this process do?")]
    public void Roles_that_make_no_run_must_be_refused(string message, params string[] roles)
    {
        var error = Assert.Throws<UserException>(() => NodeCommand.RolesOf(roles, Alone));
        Assert.Equal(ExitCode.Usage, error.Code);
        Assert.Contains(message, error.Message, StringComparison.Ordinal);
    }

    private static TopologySettings Alone { get; } = new(["cpu"], 4, "cpu", "127.0.0.1", 0);

    private static TopologySettings Many { get; } = Alone with { Cluster = ClusterSettings.Alone with { Seeds = ["10.0.0.1:4053"] } };

    [Fact]
    public void Ranks_of_one_process_must_be_no_processes() =>
        Assert.Contains("a run of one process has its 3 ranks beside its learner", Assert.Throws<UserException>(() => NodeCommand.RolesOf([AllRoles, "rank"], Alone with { Ranks = 3 })).Message, StringComparison.Ordinal);

    [Fact]
    public void Roles_must_be_accepted_however_they_are_given()
    {
        Assert.Equal(NodeRoles.All, NodeCommand.RolesOf([AllRoles], Alone));
        Assert.Equal(NodeRoles.All, NodeCommand.RolesOf(["learner", "reward, sampler", "coordinator"], Alone));
        Assert.Equal(NodeRoles.Learner | NodeRoles.Reward, NodeCommand.RolesOf(["reward,learner"], Many));
        Assert.Equal(NodeRoles.Rank, NodeCommand.RolesOf(["rank"], Many with { Ranks = 2 }));
    }

    [Theory]
    [InlineData("gpu-node.7", true)]
    [InlineData("../elsewhere", false)]
    [InlineData("a b", false)]
    [InlineData(".hidden", false)]
    public void Name_of_a_node_must_be_one_that_a_file_can_have(string name, bool accepted)
    {
        if (accepted) Assert.Equal(name, NodeCommand.NameOf(name));
        else Assert.Contains($"--as {name}: a node's name is letters", Assert.Throws<UserException>(() => NodeCommand.NameOf(name)).Message, StringComparison.Ordinal);
    }

    private static async Task<string> Done(params string[] arguments)
    {
        var (code, output, error) = await Shell.RunAsync(arguments);
        Assert.True(code == 0, output + error);
        return output;
    }

    private List<string> Prompts(string run, int step) =>
        [.. File.ReadAllLines(Path.Combine(Runs, run, "rollouts", $"step_{step}.jsonl")).Select(line => JsonElement.Parse(line).GetProperty("prompt").GetString()!).Distinct()];
}
