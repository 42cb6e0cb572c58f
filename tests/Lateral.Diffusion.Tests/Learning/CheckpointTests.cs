using Lateral.Core.Learning;
using Lateral.Core.Policies;
using Lateral.Diffusion.Learning;

namespace Lateral.Tests.Diffusion;

public sealed class CheckpointTests : IDisposable
{
    private readonly string _run = Directory.CreateTempSubdirectory().FullName;

    public void Dispose() => Directory.Delete(_run, recursive: true);

    [Fact]
    public async Task Checkpoint_must_hold_weights_optimizer_state_configuration_and_their_hashes()
    {
        var checkpoint = await CheckpointAsync(2);
        Assert.Equal((2, "checkpoints/step_2"), (checkpoint.Step, checkpoint.Location));
        var files = Directory.GetFiles(Path.Combine(_run, checkpoint.Location)).Select(Path.GetFileName).Order(StringComparer.Ordinal);
        Assert.Equal(["config.json", "manifest.json", "model.safetensors", "optimizer.safetensors", "state.json"], files);
        Assert.Equal(checkpoint.Hash, TinyPolicy.HashOf(Path.Combine(_run, checkpoint.Location, "model.safetensors")));
        Assert.DoesNotContain(Directory.GetDirectories(Path.Combine(_run, "checkpoints")), path => Path.GetFileName(path).StartsWith('.'));
    }

    [Theory]
    [InlineData("model.safetensors")]
    [InlineData("optimizer.safetensors")]
    [InlineData("state.json")]
    [InlineData("config.json")]
    [InlineData("manifest.json")]
    public async Task Load_must_name_the_file_that_is_torn_damaged_or_missing(string file)
    {
        var checkpoint = await CheckpointAsync(1);
        var path = Path.Combine(_run, checkpoint.Location, file);
        var bytes = File.ReadAllBytes(path);
        await using var learner = GrpoLearnerTests.New(GrpoLearnerTests.TinySettings(_run));
        async Task Refused()
        {
            var error = await Assert.ThrowsAsync<PolicyUnavailableException>(() => learner.LoadAsync(checkpoint, default));
            if (file != "manifest.json") Assert.Contains(file, error.Message);
            Assert.Contains("step_1", error.Message);
            await Assert.ThrowsAsync<InvalidOperationException>(() => learner.TrainAsync(Rollouts.Batch(2, 4, 4, 1), default));
        }

        File.WriteAllBytes(path, bytes[..^1]);
        await Refused();
        var flipped = (byte[])bytes.Clone();
        flipped[^2] ^= 0x40;
        File.WriteAllBytes(path, flipped);
        await Refused();
        File.Delete(path);
        await Refused();
        File.WriteAllBytes(path, bytes);
        await learner.LoadAsync(checkpoint, default);
        Assert.Equal(2, (await learner.TrainAsync(Rollouts.Batch(2, 4, 4, 1), default)).Step);
    }

    [Theory]
    [InlineData("", null)]
    [InlineData("\"protocol\": 1,", null)]
    [InlineData("\"protocol\": 2,", "manifest.json speaks protocol 2 and this program 1: use the version of Lateral that wrote it")]
    public async Task Manifest_of_another_protocol_must_be_refused_and_one_without_be_of_the_first(string says, string? refusal)
    {
        var checkpoint = await CheckpointAsync(1);
        var path = Path.Combine(_run, checkpoint.Location, "manifest.json");
        var text = File.ReadAllText(path);
        Assert.Contains("\"protocol\": 1", text, StringComparison.Ordinal);
        File.WriteAllText(path, System.Text.RegularExpressions.Regex.Replace(text, ",?\\s*\"protocol\": 1,?", "").Replace("\"step\"", $"{says} \"step\"", StringComparison.Ordinal));
        await using var learner = GrpoLearnerTests.New(GrpoLearnerTests.TinySettings(_run));
        if (refusal is null) await learner.LoadAsync(checkpoint, default);
        else Assert.Contains(refusal, (await Assert.ThrowsAsync<PolicyUnavailableException>(() => learner.LoadAsync(checkpoint, default))).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Load_must_refuse_weights_other_than_the_journal_promised()
    {
        var checkpoint = await CheckpointAsync(1);
        await using var learner = GrpoLearnerTests.New(GrpoLearnerTests.TinySettings(_run));
        await Assert.ThrowsAsync<PolicyUnavailableException>(() => learner.LoadAsync(checkpoint with { Hash = new string('0', 64) }, default));
        await Assert.ThrowsAsync<PolicyUnavailableException>(() => learner.LoadAsync(checkpoint with { Location = "checkpoints/step_9" }, default));
    }

    [Fact]
    public async Task Pruning_must_keep_the_newest_and_the_base()
    {
        await using var learner = GrpoLearnerTests.New(GrpoLearnerTests.TinySettings(_run));
        await learner.PrepareBaseAsync(new GrpoLearnerTests.Quiet(), default);
        for (var step = 1; step <= 4; step++)
        {
            await learner.TrainAsync(Rollouts.Batch(step, 4, 4, step), default);
            await learner.CheckpointAsync(default);
        }

        var kept = Directory.GetDirectories(Path.Combine(_run, "checkpoints")).Select(Path.GetFileName).Order(StringComparer.Ordinal);
        Assert.Equal(["step_0", "step_3", "step_4"], kept);

        new PolicyPublications(_run).Prune(3);
        var policies = Directory.GetFiles(Path.Combine(_run, "policies")).Select(Path.GetFileName).Order(StringComparer.Ordinal);
        Assert.Equal(["v3.safetensors", "v4.safetensors"], policies);
    }

    [Fact]
    public async Task Checkpoint_of_a_step_that_is_trained_again_must_replace_the_former_one()
    {
        await using var learner = GrpoLearnerTests.New(GrpoLearnerTests.TinySettings(_run));
        var (_, first) = await learner.PrepareBaseAsync(new GrpoLearnerTests.Quiet(), default);
        await learner.TrainAsync(Rollouts.Batch(1, 4, 4, 1), default);
        var one = await learner.CheckpointAsync(default);
        await learner.LoadAsync(first, default);
        await learner.TrainAsync(Rollouts.Batch(1, 4, 4, 2), default);
        var other = await learner.CheckpointAsync(default);
        Assert.NotEqual(one.Hash, other.Hash);
        await Assert.ThrowsAsync<PolicyUnavailableException>(() => learner.LoadAsync(one, default));
        await learner.LoadAsync(other, default);
    }

    private async Task<Checkpoint> CheckpointAsync(int steps)
    {
        await using var learner = GrpoLearnerTests.New(GrpoLearnerTests.TinySettings(_run));
        await learner.PrepareBaseAsync(new GrpoLearnerTests.Quiet(), default);
        for (var step = 1; step <= steps; step++) await learner.TrainAsync(Rollouts.Batch(step, 4, 4, step), default);
        return await learner.CheckpointAsync(default);
    }
}
