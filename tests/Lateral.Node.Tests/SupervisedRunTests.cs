using Lateral.Node.Runs;

namespace Lateral.Node.Tests;

/// <summary>A run whose only training is the warm-up: from the command line to its directory, its proof and its reinforcement.</summary>
public sealed class SupervisedRunTests : IDisposable
{
    private const string Conf = """
        run { steps = 0, seed = 3 }
        task { name = multiply, held-out-prompts = 16 }
        reward.pools.answer { kind = multiply }
        reward.on-constant = go-on
        warmup { objective = dot, gold-floor = 0.2, steps = 6, batch = 16, lr = 3e-3 }
        model.size { width = 32, layers = 2, heads = 2, mlp = 64 }
        rollout { groups-per-step = 4, group-size = 4, gen-length = 15, block-length = 5, steps = 3 }
        learner.shards = 4
        deterministic = on
        topology.roles.sampler.slots = 16
        eval { final-prompts = 8, samples = 4, vote = 4 }
        """;

    private readonly TemporaryFolder _folder = new();

    private string Runs => Path.Combine(_folder.Path, "runs");

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Run_without_steps_must_train_evaluate_finish_be_proven_and_be_reinforced_later()
    {
        var conf = _folder.File("first.conf", Conf);
        var trained = await Succeed("train", conf, "--runs-dir", Runs);
        Assert.Contains("run first: task multiply, supervised only: 6 steps of 16 examples with objective dot, answers of 15 tokens in 3 blocks, deterministic, seed 3", trained, StringComparison.Ordinal);
        Assert.Contains("warm-up 6/6", trained, StringComparison.Ordinal);
        Assert.Contains("vote@4", trained, StringComparison.Ordinal);
        Assert.Contains("run first finished: supervised only, 6 steps of 16 examples with objective dot", trained, StringComparison.Ordinal);

        var run = new RunCatalog(Runs).Find("first");
        Assert.Equal(("finished", 0, 0), Described(run));
        Assert.StartsWith("# Run first\n\nSupervised only, 6 steps of 16 examples with objective dot: finished. Task multiply, seed 3.", File.ReadAllText(run.Status), StringComparison.Ordinal);
        Assert.Equal(["eval/distinct_correct", "eval/greedy", "eval/pass_at_1", "eval/pass_at_2", "eval/pass_at_4", "eval/pass_at_k", "eval/prompts", "eval/seconds", "eval/vote_at_4"],
            Assert.Single(RunRecorder.ReadEvaluations(run)).Metrics.Keys.Where(key => key.StartsWith("eval/", StringComparison.Ordinal)));
        Assert.Contains("balanced", await Succeed("runs", "verify", "first", "--runs-dir", Runs), StringComparison.Ordinal);
        Assert.Contains("vote@2", await Succeed("eval", "first", "--vote", "2", "--prompts", "4", "--runs-dir", Runs), StringComparison.Ordinal);
        Assert.Contains("5 of 4 samples cannot vote - write --samples 5, or --vote 4", (await Shell.RunAsync("eval", "first", "--vote", "5", "--runs-dir", Runs)).Error, StringComparison.Ordinal);

        var weights = TrainedRun.Hash(run.Resolve("checkpoints/step_0/model.safetensors"));
        Assert.Contains("run first finished: supervised only", await Succeed("resume", "first", "--runs-dir", Runs), StringComparison.Ordinal);
        Assert.Contains("step 2/2", await Succeed("resume", "first", "--set", "run.steps=2", "--runs-dir", Runs), StringComparison.Ordinal);
        Assert.Equal(("finished", 2, 2), Described(run));
        Assert.Equal(weights, TrainedRun.Hash(run.Resolve("checkpoints/step_0/model.safetensors")));
    }

    [Fact]
    public async Task Run_without_steps_must_be_foretold_and_noted()
    {
        var conf = _folder.File("first.conf", Conf);
        var dry = await Succeed("train", conf, "--dry-run", "--runs-dir", Runs);
        Assert.Contains("  examples     16 a step, 96 in all; 16 prompts held out", dry, StringComparison.Ordinal);
        Assert.DoesNotContain("metrics.jsonl", dry, StringComparison.Ordinal);
        Assert.Contains("note   run.steps = 0 and warmup.steps = 0: nothing is trained", await Succeed("config", "check", conf, "--set", "warmup.steps = 0"), StringComparison.Ordinal);
        Assert.Contains(
            "note   warmup.objective = dot-mp with one block: it is masked's; write rollout.block-length for smaller ones",
            await Succeed("config", "check", conf, "--set", "warmup.objective = dot-mp", "--set", "rollout.block-length = null"), StringComparison.Ordinal);
    }

    private (string State, int Step, int Steps) Described(RunDirectory run) => new RunCatalog(Runs).Describe(run) is var entry ? (entry.State, entry.Step, entry.Steps) : default;

    private static async Task<string> Succeed(params string[] arguments)
    {
        var (code, output, error) = await Shell.RunAsync(arguments);
        Assert.True(code == 0, output + error);
        return output.ReplaceLineEndings("\n");
    }
}
