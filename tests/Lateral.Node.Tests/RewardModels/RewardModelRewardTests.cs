using System.Collections.Concurrent;
using System.Text.Json;
using System.Text.Json.Nodes;
using Lateral.Core.Prompts;
using Lateral.Core.Rewards;
using Lateral.Core.Rollouts;
using Lateral.Diffusion.Native;
using Lateral.Diffusion.RewardModels;
using Lateral.Node.Composition;
using Lateral.Node.Sessions;
using Lateral.Rewards.Verifiers;

namespace Lateral.Node.Tests.RewardModels;

/// <summary>Pools of kind <c>reward-model</c>: what a request is worth, and runs that are rewarded by nothing else.</summary>
public sealed class RewardModelRewardTests(TrainedReward trained) : IClassFixture<TrainedReward>, IDisposable
{
    private static readonly TimeSpan Deadline = TimeSpan.FromMinutes(4);

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Reward_must_be_the_models_in_units_of_its_held_out_deviation()
    {
        NativeBootstrap.Load();
        var info = RewardModelInfo.Read(trained.Folder);
        var (plain, normalised) = (Make(("normalise", "off")), Make(("pass-above", "0")));
        await using var first = (IAsyncDisposable)plain;
        await using var second = (IAsyncDisposable)normalised;
        await ((IPreparedReward)plain).PrepareAsync(CancellationToken.None);
        var right = 0;
        foreach (var (prompt, chosen, rejected) in SortedPairs.Of(40, seed: 91))
        {
            var (good, bad) = (await Scored(plain, prompt, chosen), await Scored(plain, prompt, rejected));
            if (good.Value > bad.Value) right++;
            Assert.Equal(good.Value, good.Breakdown["raw"]);
            Assert.False(good.Breakdown.ContainsKey("answer"));
            var unit = await Scored(normalised, prompt, chosen);
            Assert.Equal((good.Value - info.Mean) / info.Deviation, unit.Value, 1e-5);
            Assert.Equal(unit.Value > 0 ? 1 : 0, unit.Breakdown["answer"]);
        }

        Assert.True(right > 36, $"{right} of 40");
    }

    [Fact]
    public async Task Rewards_of_many_at_once_must_be_those_of_each_alone()
    {
        NativeBootstrap.Load();
        var (batched, alone, again) = (Make(("batch", "16")), Make(deterministic: true), Make(("batch", "1")));
        await using var first = (IAsyncDisposable)batched;
        await using var second = (IAsyncDisposable)alone;
        await using var third = (IAsyncDisposable)again;
        // Texts of unlike lengths, so that those that share a forward are padded.
        var asked = SortedPairs.Of(60, seed: 92).Select((pair, i) => (Prompt: pair.Prompt[..(1 + (i % 5))], pair.Rejected)).ToList();
        Task<double[]> All(IReward reward) => Task.WhenAll(asked.Select(one => Task.Run(async () => (await Scored(reward, one.Prompt, one.Rejected)).Value)));
        var (together, single, repeated) = (await All(batched), await All(alone), await All(again));
        Assert.All(together.Zip(single), pair => Assert.Equal(pair.Item2, pair.Item1, 1e-5));
        Assert.Equal(single, repeated);
    }

    [Fact]
    public async Task Too_long_a_completion_must_be_the_models_fault_and_too_long_a_prompt_nobodys()
    {
        NativeBootstrap.Load();
        var reward = Make(("max-length", "12"));
        await using var held = (IAsyncDisposable)reward;
        // The end token is one of the twelve.
        Assert.IsType<RewardOutcome.Scored>(await Ask(reward, "31415", "113456"));
        Assert.Equal(new RewardOutcome.ModelFault("too-long"), await Ask(reward, "31415", "1134567"));
        Assert.IsType<RewardOutcome.Scored>(await Ask(reward, "31415", ""));
        Assert.Equal(new RewardOutcome.InfraFault("the prompt has 12 tokens, and the reward model reads 12"), await Ask(reward, "314151415926", "1"));
    }

    [Fact]
    public async Task Folder_that_cannot_be_used_must_refuse_the_start_and_be_a_fault_later()
    {
        NativeBootstrap.Load();
        var missing = Make(("path", _folder.Path));
        var error = await Assert.ThrowsAsync<RewardUnavailableException>(() => ((IPreparedReward)missing).PrepareAsync(CancellationToken.None));
        Assert.Contains($"reward-model path = {_folder.Path}: '{_folder.Path}' is no reward model: it has no reward_model.json", error.Message, StringComparison.Ordinal);
        Assert.Contains("is no reward model", Assert.IsType<RewardOutcome.InfraFault>(await Ask(missing, "1", "1")).Kind, StringComparison.Ordinal);
        var tooLong = await Assert.ThrowsAsync<RewardUnavailableException>(() => ((IPreparedReward)Make(("max-length", "5000"))).PrepareAsync(CancellationToken.None));
        Assert.Contains("it reads 1024 tokens - write max-length = 1024, or leave it out", tooLong.Message, StringComparison.Ordinal);

        // What was measured with equal rewards has no unit.
        var flat = Directory.CreateDirectory(Path.Combine(_folder.Path, "flat")).FullName;
        foreach (var file in Directory.EnumerateFiles(trained.Folder)) File.Copy(file, Path.Combine(flat, Path.GetFileName(file)));
        var info = JsonNode.Parse(File.ReadAllText(Path.Combine(flat, RewardModelInfo.File)))!;
        info["model"]!["deviation"] = 0;
        File.WriteAllText(Path.Combine(flat, RewardModelInfo.File), info.ToJsonString());
        var unit = await Assert.ThrowsAsync<RewardUnavailableException>(() => ((IPreparedReward)Make(("path", flat))).PrepareAsync(CancellationToken.None));
        Assert.Contains("write normalise = off", unit.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("path", null, "path is missing: reward kind reward-model needs it")]
    [InlineData("device", "gpu", "device = gpu: must be cpu or cuda:N")]
    [InlineData("batch", "0", "batch = 0: must be a whole number, 1 to 4,096, texts of a forward")]
    [InlineData("max-length", "1", "max-length = 1: must be a whole number, 2 to 1,048,576, tokens of prompt and completion")]
    [InlineData("normalise", "yes", "normalise = yes: must be on or off")]
    [InlineData("pass-above", "much", "pass-above = much: must be -1000000 to 1000000, a reward")]
    [InlineData("temperature", "1", "temperature is no key of reward kind reward-model")]
    public void Wrong_key_must_be_told_with_its_bound(string key, string? value, string message) =>
        Assert.Equal(message, Assert.Throws<RewardSettingException>(() => Make((key, value))).Message);

    [Fact]
    public async Task Deterministic_run_must_be_rewarded_by_the_model_alone_and_end_alike_every_time()
    {
        var conf = _folder.File("learned.conf", Conf(steps: 6));
        await Succeed("train", conf, "--runs-dir", Path.Combine(_folder.Path, "one"));
        await Succeed("train", conf, "--runs-dir", Path.Combine(_folder.Path, "two"));
        string Weights(string runs, int step) => TrainedRun.Hash(Path.Combine(_folder.Path, runs, "learned", "checkpoints", $"step_{step}", "model.safetensors"));
        Assert.Equal(Weights("one", 6), Weights("two", 6));
        Assert.NotEqual(Weights("one", 0), Weights("one", 6));
        Assert.Contains("balanced", await Succeed("runs", "verify", "learned", "--runs-dir", Path.Combine(_folder.Path, "one")), StringComparison.Ordinal);

        var rollouts = Directory.EnumerateFiles(Path.Combine(_folder.Path, "one", "learned", "rollouts")).SelectMany(File.ReadLines).Select(line => JsonElement.Parse(line)).ToList();
        Assert.Equal(6 * 4 * 8, rollouts.Count);
        var info = RewardModelInfo.Read(trained.Folder);
        Assert.All(rollouts, rollout => Assert.Equal((rollout.GetProperty("breakdown").GetProperty("taste/raw").GetDouble() - info.Mean) / info.Deviation, rollout.GetProperty("reward").GetDouble(), 1e-9));
        // It was learned on other prompts that sorted is better: here, too.
        double Mean(bool sorted) => rollouts.Where(rollout => rollout.GetProperty("completion").GetString() == string.Concat(rollout.GetProperty("prompt").GetString()!.Order()) == sorted).Average(rollout => rollout.GetProperty("reward").GetDouble());
        Assert.True(Mean(sorted: true) > Mean(sorted: false) + .5, $"{Mean(true)} and {Mean(false)}");

        // Whatever else asks for rewards opens the model for itself.
        string[] there = ["--runs-dir", Path.Combine(_folder.Path, "one")];
        Assert.Contains("pass@1", await Succeed(["eval", "learned", "--prompts", "4", .. there]), StringComparison.Ordinal);
        var sampled = JsonElement.Parse((await Succeed(["sample", "learned", "--count", "1", "--temperature", "0", "--json", .. there])).Trim());
        await using var reward = (IAsyncDisposable)Make(deterministic: true);
        Assert.Equal((await Scored((IReward)reward, sampled.GetProperty("prompt").GetString()!, sampled.GetProperty("completion").GetString()!)).Value, sampled.GetProperty("reward").GetDouble(), 1e-9);
        await Succeed(["resume", "learned", "--set", "run.steps = 7", .. there]);
        Assert.Contains("balanced", await Succeed(["runs", "verify", "learned", .. there]), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Run_must_be_refused_before_it_has_a_directory_where_the_model_is_not_there()
    {
        var conf = _folder.File("learned.conf", Conf(steps: 6).Replace(trained.Folder, Path.Combine(_folder.Path, "gone"), StringComparison.Ordinal));
        var (code, _, error) = await Shell.RunAsync("train", conf, "--runs-dir", Path.Combine(_folder.Path, "runs"));
        Assert.Equal(3, code);
        Assert.Contains("reward.pools.taste: reward-model path = ", error, StringComparison.Ordinal);
        Assert.False(Directory.Exists(Path.Combine(_folder.Path, "runs", "learned")));
        Assert.Contains("device cuda:7 does not exist; there is ", (await Shell.RunAsync("train", conf, "--set", "reward.pools.taste.device = \"cuda:7\"", "--runs-dir", Path.Combine(_folder.Path, "runs"))).Error, StringComparison.Ordinal);
    }

    /// <summary>The other process samples and learns; this one has no reason to load libtorch but the reward.</summary>
    [Fact]
    public async Task Process_that_only_rewards_must_load_the_model_and_end_the_run_like_one_process()
    {
        var conf = _folder.File("learned.conf", Conf(steps: 4));
        await Succeed("train", conf, "--runs-dir", Path.Combine(_folder.Path, "alone"));
        var lines = new ConcurrentQueue<string>();
        await using var nodes = new NodeProcesses([Part("work", "coordinator,learner,sampler", first: true), Part("reward", "reward")], lines.Enqueue);
        using var interruption = new Interruption();
        var running = nodes.RunAsync(interruption);
        await Task.WhenAny(running, Task.Delay(Deadline));
        Assert.True(running.IsCompleted, string.Join('\n', lines));
        Assert.True(await running == ExitCode.Done, string.Join('\n', lines));
        string Weights(string runs) => TrainedRun.Hash(Path.Combine(_folder.Path, runs, "learned", "checkpoints", "step_4", "model.safetensors"));
        Assert.Equal(Weights("alone"), Weights("cluster"));

        NodePart Part(string name, string roles, bool first = false) => new(
            name,
            ["node", conf, "--role", roles, "--as", name, "--runs-dir", Path.Combine(_folder.Path, "cluster"), "--set", $"topology.cluster {{ dir = \"{Path.Combine(_folder.Path, "meet")}\", patience = 2 minutes }}", "--set", $"policies.cache-dir = \"{Path.Combine(_folder.Path, "policies")}\""],
            first);
    }

    private string Conf(int steps) => $$"""
        run { steps = {{steps}}, seed = 11 }
        task { name = sort5, descending-fraction = 0.2 }
        reward.pools { taste { kind = reward-model, path = "{{trained.Folder}}", timeout = 60s }, answer { kind = sort, weight = 0 } }
        warmup { steps = 150, batch = 64, lr = 6e-3 }
        model.size { width = 32, layers = 2, heads = 2, mlp = 64 }
        rollout { groups-per-step = 4, group-size = 8, gen-length = 5, steps = 3 }
        algorithm { advantage = group-z, lr = 1e-3 }
        staleness.max-versions = 1
        deterministic = on
        topology.roles.sampler.slots = 8
        eval { every = 0, prompts = 4, final-prompts = 8, samples = 2 }
        checkpoint { every = 2, keep-last = 3 }
        """;

    private IReward Make(params (string Key, string? Value)[] keys) => Make(deterministic: false, keys);

    private IReward Make(bool deterministic, params (string Key, string? Value)[] keys)
    {
        var all = new Dictionary<string, string>(StringComparer.Ordinal) { ["path"] = trained.Folder, ["device"] = "cpu", ["normalise"] = "on", ["batch"] = "16" };
        foreach (var (key, value) in keys)
        {
            if (value is null) all.Remove(key);
            else all[key] = value;
        }

        return RunRewards.Create("reward-model", all, deterministic);
    }

    private static ValueTask<RewardOutcome> Ask(IReward reward, string prompt, string completion) => reward.ScoreAsync(new(new RolloutId(0, 0), new Prompt(0, [], prompt, ""), completion), CancellationToken.None);

    private static async Task<RewardOutcome.Scored> Scored(IReward reward, string prompt, string completion) => Assert.IsType<RewardOutcome.Scored>(await Ask(reward, prompt, completion));

    private static async Task<string> Succeed(params string[] arguments)
    {
        var (code, output, error) = await Shell.RunAsync(arguments);
        Assert.True(code == 0, output + error);
        return output;
    }
}
