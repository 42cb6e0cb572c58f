using System.Text.Json;
using Lateral.Node.Tests.Processes;

namespace Lateral.Node.Tests;

/// <summary>A fork is its parent at one step: the same weights, the same moments, the next prompts; and nothing of the parent is needed or touched afterwards.</summary>
[Collection(TrainedRunTests.Name)]
public sealed class ForkTests(TrainedRun trained) : IDisposable
{
    private readonly TemporaryFolder _folder = trained.Copy();

    public void Dispose() => _folder.Dispose();

    private string Runs => Path.Combine(_folder.Path, "runs");

    [Fact]
    public async Task Fork_with_the_same_settings_must_go_on_bit_for_bit_like_its_parent()
    {
        var before = TrainedRun.Hashes(Run("first"));
        await Done("fork", "first@2", "--name", "second", "--set", "run.steps=2");

        Assert.Equal(before, TrainedRun.Hashes(Run("first")));
        foreach (var file in new[] { "model.safetensors", "optimizer.safetensors" })
        {
            Assert.Equal(Checkpoint("first", 2, file), Checkpoint("second", 0, file));
            Assert.Equal(Checkpoint("first", 3, file), Checkpoint("second", 1, file));
            Assert.Equal(Checkpoint("first", 4, file), Checkpoint("second", 2, file));
        }

        Assert.NotEqual(Checkpoint("first", 2, "optimizer.safetensors"), Checkpoint("first", 0, "optimizer.safetensors"));
        Assert.Equal(Prompts("first", 3), Prompts("second", 1));
        Assert.Empty(Prompts("second", 1).Intersect(Prompts("first", 1).Concat(Prompts("first", 2))));
        await Done("runs", "verify", "second");
        Assert.Contains("Forked from first@2; its prompts begin at 8.", await Done("runs", "show", "second"), StringComparison.Ordinal);
        Assert.Equal("first@2", JsonElement.Parse(await Done("runs", "show", "second", "--json")).GetProperty("forkedFrom").GetString());
    }

    [Fact]
    public async Task Fork_of_a_fork_must_work_when_all_its_ancestors_are_gone()
    {
        var expected = Checkpoint("first", 4, "model.safetensors");
        await Done("fork", "first@1", "--name", "second", "--set", "run.steps=2", "--set", "checkpoint.keep-last=9");
        Directory.Delete(Run("first"), recursive: true);
        await Done("fork", "second@2", "--name", "third", "--set", "run.steps=1", "--set", "eval.every=1");
        Directory.Delete(Run("second"), recursive: true);

        Assert.Equal(expected, Checkpoint("third", 1, "model.safetensors"));
        Assert.Contains("Forked from second@2; its prompts begin at 12.", await Done("runs", "show", "third"), StringComparison.Ordinal);
        await Done("resume", "third", "--set", "run.steps=2");
        await Done("runs", "verify", "third");
        Assert.Contains("evaluation at step 2", await Done("eval", "third"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Fork_may_change_everything_but_its_identity()
    {
        await Done(
            "fork", "first@4", "--name", "second", "--set", "run.steps=1", "--set", "algorithm.lr=1e-5", "--set", "algorithm.beta1=0.8", "--set", "rollout.group-size=2", "--set", "learner.shards=4",
            "--set", "rollout.temperature=0.7", "--set", "staleness.max-versions=1", "--set", "deterministic=off", "--set", "task.min-clues=9");
        await Done("runs", "verify", "second");
        var metrics = JsonElement.Parse(File.ReadAllLines(Path.Combine(Run("second"), "metrics.jsonl"))[^1]);
        Assert.Equal(1e-5, metrics.GetProperty("optim/lr").GetDouble(), 1e-12);
        Assert.Equal(8, File.ReadAllLines(Path.Combine(Run("second"), "rollouts", "step_1.jsonl")).Length);
    }

    [Fact]
    public async Task Fork_that_is_killed_before_its_base_is_journaled_must_go_on_from_the_same_checkpoint()
    {
        using (var process = LateralProcess.Start("fork", "first@2", "--name", "second", "--set", "run.steps=2", "--runs-dir", Runs))
        {
            await process.UntilAsync(_ => File.Exists(Path.Combine(Run("second"), "config.resolved.json")));
            await process.KillAsync();
        }

        Directory.Delete(Run("first"), recursive: true);
        var (code, output) = await LateralProcess.RunAsync("resume", "second", "--runs-dir", Runs);
        Assert.True(code == 0, output);
        using var whole = trained.Copy();
        Assert.Equal(TrainedRun.Hash(Path.Combine(whole.Path, "runs", "first", "checkpoints", "step_4", "model.safetensors")), Checkpoint("second", 2, "model.safetensors"));
        await Done("runs", "verify", "second");
    }

    [Theory]
    [InlineData("run.seed = 12", "a fork cannot change run.seed: the held-out split follows from the seed")]
    [InlineData("model.size.width = 64", "a fork cannot change model.size.width: the checkpoint's weights have their own shape")]
    [InlineData("warmup.steps = 9", "a fork cannot change warmup.steps: a fork starts from the checkpoint's weights")]
    [InlineData("run.first-prompt = 0, run.first-prompt = 3", "a fork cannot change run.first-prompt: a fork goes on behind its parent's last prompt")]
    [InlineData("task { name = sort5, length = 5 }, rollout { gen-length = 5, steps = 5 }", "a fork cannot change task.name to sort5: its vocabulary is \"0123456789\", the checkpoint's is \"01234\"")]
    public async Task Change_that_a_fork_cannot_have_must_be_named_with_its_reason(string set, string message)
    {
        var (code, _, error) = await Shell.RunAsync("fork", "first@2", "--name", "second", "--set", set, "--runs-dir", Runs);
        Assert.Equal(2, code);
        Assert.Contains(message, error, StringComparison.Ordinal);
        Assert.False(Directory.Exists(Run("second")));
    }

    [Theory]
    [InlineData("frist@2", "did you mean first?")]
    [InlineData("first@9", "has no checkpoint of step 9; it has 0, 1, 2, 3, 4")]
    [InlineData("first@two", "must be NAME or NAME@STEP")]
    public async Task Unknown_parent_must_be_told_with_what_there_is(string parent, string message)
    {
        var (code, _, error) = await Shell.RunAsync("fork", parent, "--name", "second", "--runs-dir", Runs);
        Assert.Equal(2, code);
        Assert.Contains(message, error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Taken_name_must_be_refused_and_a_dry_run_must_write_nothing()
    {
        var before = TrainedRun.Hashes(_folder.Path);
        var (code, _, error) = await Shell.RunAsync("fork", "first@2", "--name", "first", "--runs-dir", Runs);
        Assert.Equal(2, code);
        Assert.Contains("run 'first' exists", error, StringComparison.Ordinal);
        var dry = await Done("fork", "first@2", "--name", "second", "--dry-run");
        Assert.Contains("copy of the checkpoint of first@2", dry, StringComparison.Ordinal);
        Assert.DoesNotContain("random weights", dry, StringComparison.Ordinal);
        Assert.Equal(before, TrainedRun.Hashes(_folder.Path));
    }

    [Fact]
    public async Task Damaged_checkpoint_must_be_named_and_leave_no_run_behind()
    {
        var path = Path.Combine(Run("first"), "checkpoints", "step_2", "optimizer.safetensors");
        File.WriteAllBytes(path, File.ReadAllBytes(path)[..^1]);
        var (code, _, error) = await Shell.RunAsync("fork", "first@2", "--name", "second", "--runs-dir", Runs);
        Assert.Equal(3, code);
        Assert.Contains("optimizer.safetensors has", error, StringComparison.Ordinal);
        Assert.DoesNotContain("second", await Done("runs"), StringComparison.Ordinal);
        await Done("fork", "first@3", "--name", "second", "--set", "run.steps=1");
    }

    [Fact]
    public async Task Configuration_of_a_fork_must_not_be_trained_as_if_it_had_a_base()
    {
        var (code, _, error) = await Shell.RunAsync("train", Path.Combine(_folder.Path, "first.conf"), "--name", "second", "--set", "run.forked-from = \"first@2\"", "--runs-dir", Runs);
        Assert.Equal(2, code);
        Assert.Contains("only fork writes it", error, StringComparison.Ordinal);
    }

    private async Task<string> Done(params string[] arguments)
    {
        var (code, output, error) = await Shell.RunAsync([.. arguments, "--runs-dir", Runs]);
        Assert.True(code == 0, output + error);
        return output;
    }

    private string Run(string name) => Path.Combine(Runs, name);

    private string Checkpoint(string run, int step, string file) => TrainedRun.Hash(Path.Combine(Run(run), "checkpoints", $"step_{step}", file));

    private List<string> Prompts(string run, int step) =>
        [.. File.ReadAllLines(Path.Combine(Run(run), "rollouts", $"step_{step}.jsonl")).Select(line => JsonElement.Parse(line).GetProperty("prompt").GetString()!).Distinct()];
}
