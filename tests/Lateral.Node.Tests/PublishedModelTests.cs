using System.Text.Json;
using Lateral.Diffusion.Models;
using Lateral.Node.Runs;

namespace Lateral.Node.Tests;

/// <summary>A model's directory as people get it: asked, evaluated, trained by an adapter, and written again for other tools.</summary>
public sealed class PublishedModelTests : IDisposable
{
    private const string Conf = """
        run { steps = 2, seed = 5 }
        task { name = sudoku, held-out-prompts = 8 }
        reward.pools.answer { kind = sudoku }
        reward.on-constant = go-on
        warmup { steps = 40, batch = 32, lr = 2e-2 }
        model.adapter { rank = 4, alpha = 8 }
        rollout { groups-per-step = 4, group-size = 4, gen-length = 16, block-length = 8, steps = 4 }
        algorithm { advantage = group-mean, lr = 1e-3, lr-schedule { warmup-steps = 0, decay = constant } }
        learner { shards = 4, activation-checkpointing = on }
        staleness.max-versions = 0
        deterministic = on
        topology.roles.sampler.slots = 16
        eval { every = 0, prompts = 4, final-prompts = 4, samples = 2 }
        checkpoint { every = 1, keep-last = 10 }
        """;

    private readonly TemporaryFolder _folder = new();

    private string Runs => Path.Combine(_folder.Path, "runs");

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Adapter_must_be_trained_resumed_forked_and_exported_in_both_forms()
    {
        var model = PublishedFolder.Create(Path.Combine(_folder.Path, "model"));
        var (conf, weights) = (_folder.File("first.conf", Conf), TrainedRun.Hash(Path.Combine(model, ModelStore.WeightsFile)));
        await Succeed("train", conf, "--set", $"model.path = \"{model}\"", "--runs-dir", Runs);
        var run = new RunCatalog(Runs).Find("first");
        Assert.Equal(["adapter_config.json", "adapter_model.safetensors", "manifest.json", "optimizer.safetensors", "state.json"], Directory.EnumerateFiles(run.Resolve("checkpoints/step_2")).Select(Path.GetFileName).Order(StringComparer.Ordinal));
        Assert.Equal(weights, TrainedRun.Hash(Path.Combine(model, ModelStore.WeightsFile)));
        Assert.NotEqual(TrainedRun.Hash(run.Resolve("checkpoints/step_0/adapter_model.safetensors")), TrainedRun.Hash(run.Resolve("checkpoints/step_2/adapter_model.safetensors")));

        await Succeed("resume", "first", "--set", "run.steps = 3", "--runs-dir", Runs);
        Assert.Contains("balanced", await Succeed("runs", "verify", "first", "--runs-dir", Runs), StringComparison.Ordinal);
        await Succeed("fork", "first@3", "--name", "second", "--set", "run.steps = 1", "--runs-dir", Runs);
        Assert.Equal(TrainedRun.Hash(run.Resolve("checkpoints/step_3/adapter_model.safetensors")), TrainedRun.Hash(new RunCatalog(Runs).Find("second").Resolve("checkpoints/step_0/adapter_model.safetensors")));

        var (peft, whole) = (Path.Combine(_folder.Path, "peft"), Path.Combine(_folder.Path, "whole"));
        await Succeed("export", "first@3", "--format", "peft", "--to", peft, "--runs-dir", Runs);
        Assert.Equal(TrainedRun.Hash(run.Resolve("checkpoints/step_3/adapter_model.safetensors")), TrainedRun.Hash(Path.Combine(peft, LoraSettings.WeightsFile)));
        Assert.Equal(4, LoraSettings.Parse(File.ReadAllText(Path.Combine(peft, LoraSettings.ConfigFile))).Rank);
        await Succeed("export", "first@3", "--to", whole, "--runs-dir", Runs);
        // Another run may begin with it, whatever its own settings of adapters are.
        await Succeed("train", conf, "--name", "from-files", "--set", $"model {{ path = \"{model}\", adapter {{ path = \"{peft}\", rank = 2 }} }}", "--set", "warmup.steps = 0", "--set", "run.steps = 1", "--runs-dir", Runs);
        Assert.Equal(TrainedRun.Hash(run.Resolve("checkpoints/step_3/adapter_model.safetensors")), TrainedRun.Hash(new RunCatalog(Runs).Find("from-files").Resolve("checkpoints/step_0/adapter_model.safetensors")));
        foreach (var file in new[] { "config.json", "tokenizer.json", "tokenizer_config.json" }) Assert.Equal(File.ReadAllText(Path.Combine(model, file)), File.ReadAllText(Path.Combine(whole, file)));

        // The model with the adapter in its weights answers as the two did side by side.
        string[] look = ["--json", "--count", "4", "--temperature", "0"];
        Assert.Equal(await Succeed(["sample", "first@3", .. look, "--runs-dir", Runs]), await Succeed(["sample", whole, .. look]));
        Assert.Contains("--format hf", await Fail(2, "export", "third", "--format", "peft", "--to", Path.Combine(_folder.Path, "x"), "--runs-dir", await WithoutAdapter()), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Model_must_answer_prompts_and_suites_by_its_familys_decoder()
    {
        foreach (var (name, family, rules) in new (string, Func<TransformerSpec, TransformerSpec>?, string[])[]
        {
            ("llada", null, ["low-confidence", "random", "threshold", "factor", "by-run", "entropy-bound", "revise", "remask", "pipelined"]),
            ("sdar", spec => spec with { Family = "sdar", AttentionBlock = 4, HeadNorm = true, RotaryRounded = true, NormRoundedLast = true }, ["dynamic", "static", "sequential"]),
            ("Dream", spec => spec with { Family = "Dream", Shifted = true, AttentionBias = true, RotaryRounded = true }, ["entropy", "maskgit-plus", "topk-margin", "threshold"]),
        })
        {
            var model = PublishedFolder.Create(Path.Combine(_folder.Path, name), family);
            foreach (var rule in rules)
            {
                var answer = JsonElement.Parse(await Succeed("sample", model, "--prompt", "Hello?", "--rule", rule, "--gen-length", "16", "--json"));
                Assert.InRange(answer.GetProperty("tokens").GetInt32(), 0, 16);
                Assert.InRange(answer.GetProperty("forwards").GetInt32(), 1, 48);
                Assert.DoesNotContain("mask", answer.GetProperty("completion").GetString(), StringComparison.Ordinal);
            }

            Assert.Contains($"it has {rules[0]}", await Fail(2, "sample", model, "--prompt", "a", "--rule", "best"), StringComparison.Ordinal);
            var data = _folder.File("a.jsonl", string.Join('\n', Enumerable.Range(1, 5).Select(i => $$"""{"question": "{{new string('q', i * 3)}}?", "answer": "#### {{i}}"}""")));
            var (metrics, written) = (JsonElement.Parse(await Succeed("eval", model, "--suite", "gsm8k", "--data", data, "--gen-length", "8", "--batch", "2", "--to", Path.Combine(_folder.Path, "out.jsonl"), "--json")), File.ReadAllLines(Path.Combine(_folder.Path, "out.jsonl")));
            Assert.Equal(5, metrics.GetProperty("eval/prompts").GetDouble());
            Assert.InRange(metrics.GetProperty("eval/pass_at_1/flexible").GetDouble(), 0, 1);
            Assert.Equal(["gsm8k/0", "gsm8k/1", "gsm8k/2", "gsm8k/3", "gsm8k/4"], written.Select(line => JsonElement.Parse(line).GetProperty("id").GetString()));
        }
    }

    [Fact]
    public async Task Completion_must_not_depend_on_what_it_is_batched_with()
    {
        var model = PublishedFolder.Create(Path.Combine(_folder.Path, "model"));
        var data = _folder.File("a.jsonl", """{"question": "a", "answer": "#### 1"}""" + "\n" + """{"question": "a much longer question, which pads the other", "answer": "#### 2"}""");
        async Task<string[]> Completions(string batch)
        {
            var file = Path.Combine(_folder.Path, $"{batch}.jsonl");
            await Succeed("eval", model, "--suite", "gsm8k", "--data", data, "--gen-length", "16", "--batch", batch, "--to", file);
            return [.. File.ReadAllLines(file).Select(line => JsonElement.Parse(line).GetProperty("completion").GetString()!)];
        }

        Assert.Equal(await Completions("1"), await Completions("2"));
    }

    [Fact]
    public async Task Chat_template_must_be_used_where_there_is_one_and_asked_for()
    {
        var (with, without) = (PublishedFolder.Create(Path.Combine(_folder.Path, "with")), PublishedFolder.Create(Path.Combine(_folder.Path, "without"), chat: false));
        async Task<string> Answer(string model, string chat) => await Succeed("sample", model, "--prompt", "Hello?", "--gen-length", "16", "--chat", chat);
        Assert.Equal(await Answer(with, "auto"), await Answer(with, "on"));
        Assert.NotEqual(await Answer(with, "on"), await Answer(with, "off"));
        Assert.Equal(await Answer(with, "off"), await Answer(without, "auto"));
        Assert.Contains("chat_template.jinja", await Fail(2, "sample", without, "--prompt", "a", "--chat", "on"), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("model.adapter.rank = 4", "model.path")]
    [InlineData("model.adapter { rank = 4, targets = [gate_proj] }, model.path = MODEL", "names no linear map of a llada model")]
    [InlineData("algorithm.advantage = value-gae, model.adapter.rank = 4, model.path = MODEL", "must be another than value-gae with model.adapter")]
    [InlineData("model { path = MODEL, adapter.path = MODEL }", "adapter_config.json")]
    [InlineData("model.chat = on", "model.chat = on")]
    public async Task Mistakes_must_be_told_before_anything_is_written(string set, string message)
    {
        var model = PublishedFolder.Create(Path.Combine(_folder.Path, "model"));
        var conf = _folder.File("first.conf", $"{Conf.Replace("model.adapter { rank = 4, alpha = 8 }", "", StringComparison.Ordinal)}\n{set.Replace("MODEL", $"\"{model}\"", StringComparison.Ordinal)}");
        Assert.Contains(message, await Fail(2, "train", conf, "--runs-dir", Runs), StringComparison.Ordinal);
        Assert.False(Directory.Exists(Path.Combine(Runs, "first")));
    }

    /// <summary>What a tiny model writes passes no test; where there can be no sandbox, its completions are only written.</summary>
    [Fact]
    public async Task Programs_of_a_suite_must_be_judged_in_the_sandbox_or_left_to_its_own_checker()
    {
        var model = PublishedFolder.Create(Path.Combine(_folder.Path, "model"));
        var data = _folder.File("he.jsonl", """{"task_id": "HumanEval/0", "prompt": "def f(x):\n", "entry_point": "f", "test": "def check(candidate):\n    assert candidate(1) == 1\n"}""");
        string[] asked = ["eval", model, "--suite", "humaneval", "--data", data, "--gen-length", "8", "--threads", "1", "--json"];
        var (code, output, error) = await Shell.RunAsync(asked);
        if (code == 0) Assert.Equal(0, JsonElement.Parse(output).GetProperty("eval/pass_at_1/tests").GetDouble());
        else Assert.Contains("or write --to FILE, and let the suite's own checker read it", error, StringComparison.Ordinal);

        var file = Path.Combine(_folder.Path, "completions.jsonl");
        (code, _, error) = await Shell.RunAsync([.. asked, "--to", file]);
        Assert.True(code == 0, error);
        Assert.Equal(["task_id", "completion"], JsonElement.Parse(Assert.Single(File.ReadAllLines(file))).EnumerateObject().Select(property => property.Name));
    }

    [Fact]
    public async Task Suite_must_tell_what_it_needs()
    {
        var model = PublishedFolder.Create(Path.Combine(_folder.Path, "model"));
        var data = _folder.File("a.jsonl", """{"task_id": "a", "prompt": "def f():\n", "question": "q", "answer": "#### 1"}""");
        Assert.Contains("needs --data FILE", await Fail(2, "eval", model, "--suite", "gsm8k"), StringComparison.Ordinal);
        Assert.Contains("has no 'entry_point'", await Fail(2, "eval", model, "--suite", "humaneval", "--data", data), StringComparison.Ordinal);
        Assert.Contains("write --temperature 0.7, or --samples 1", await Fail(2, "eval", model, "--suite", "gsm8k", "--data", data, "--samples", "4"), StringComparison.Ordinal);
        Assert.Contains("write --prompt", await Fail(2, "sample", model), StringComparison.Ordinal);
        Assert.Contains("longer than the model's 256", await Fail(2, "sample", model, "--prompt", new string('a', 250)), StringComparison.Ordinal);
    }

    /// <summary>A run that has trained all weights.</summary>
    private async Task<string> WithoutAdapter()
    {
        var runs = Path.Combine(_folder.Path, "others");
        await Succeed("train", _folder.File("third.conf", $"{Conf.Replace("model.adapter { rank = 4, alpha = 8 }", "", StringComparison.Ordinal)}\nmodel.size {{ width = 32, layers = 1, heads = 2, mlp = 32 }}, run.steps = 1"), "--runs-dir", runs);
        return runs;
    }

    private static async Task<string> Succeed(params string[] arguments)
    {
        var (code, output, error) = await Shell.RunAsync(WithOneThread(arguments));
        Assert.True(code == 0, output + error);
        return output;
    }

    /// <summary>The number of threads is the whole process's, and tests beside this one compare runs bit for bit.</summary>
    private static string[] WithOneThread(string[] arguments) => arguments[0] is "sample" or "eval" ? [.. arguments, "--threads", "1"] : arguments;

    private static async Task<string> Fail(int expected, params string[] arguments)
    {
        var (code, output, error) = await Shell.RunAsync(WithOneThread(arguments));
        Assert.True(code == expected, output + error);
        Assert.DoesNotContain("   at ", error, StringComparison.Ordinal);
        return error;
    }
}
