using System.Text.Json;
using Lateral.Core;
using Lateral.Node.Runs;
using Lateral.Rewards.Tests.Judging;

namespace Lateral.Node.Tests;

/// <summary>Runs on files of rows, from the command line to the run directory.</summary>
public sealed class DataRunTests : IDisposable
{
    private const string TinyModel = "model.size { width = 32, layers = 2, heads = 2, mlp = 64 }\ncompute.threads = 1";

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    private string Runs => Path.Combine(_folder.Path, "runs");

    /// <summary>Sums in GSM8K's form, a byte a token: the pipeline is the point.</summary>
    [Fact]
    public async Task Run_on_rows_of_gsm8ks_form_must_train_evaluate_resume_and_refuse_other_rows()
    {
        var rows = _folder.File("sums.jsonl", string.Concat(Sums(300).Select(sum => JsonSerializer.Serialize(new { question = $"{sum.A} and {sum.B}?", answer = $"{sum.A}+{sum.B}\n#### {sum.A + sum.B}" }) + "\n")));
        var conf = _folder.File("sums.conf", $$"""
            run { name = sums, steps = 2 }
            data { train = "{{rows}}", format = gsm8k, template = plain, held-out = 0.2, max-prompt-tokens = 16 }
            warmup { steps = 40, batch = 32, lr = 3e-3 }
            rollout { gen-length = 16, block-length = 16, steps = 8, groups-per-step = 4, group-size = 4 }
            learner.shards = 4
            eval { every = 0, final-prompts = 16, samples = 2 }
            reward { on-constant = go-on, pools { answer { kind = gsm8k }, form { kind = d1-gsm8k, weight = 0.1 }, spaces { kind = regex, pattern = "[0-9]", weight = 0.1 } } }
            {{TinyModel}}
            """);
        var (code, output, error) = await Shell.RunAsync("train", conf, "--runs-dir", Runs);
        Assert.True(code == 0, error);
        Assert.Matches(@"data: 300 rows: 2\d\d to train on \(2\d\d with an answer that fits\), \d\d held out", error);
        Assert.Contains("task gsm8k data, 2 steps", output, StringComparison.Ordinal);

        var directory = new RunDirectory(Path.Combine(Runs, "sums"));
        var rollouts = File.ReadLines(Path.Combine(directory.Rollouts, "step_1.jsonl")).Select(line => JsonElement.Parse(line)).ToArray();
        Assert.Equal(16, rollouts.Length);
        Assert.All(rollouts, rollout => Assert.Matches(@"^\d+ and \d+\?$", rollout.GetProperty("prompt").GetString()));
        string[] parts = ["answer", "answer/answer", "answer/format", "form", "form/answer", "form/correct", "form/integer", "form/soft-format", "form/strict-format", "form/tags", "spaces", "spaces/match"];
        Assert.All(rollouts, rollout => Assert.Equal(parts, rollout.GetProperty("breakdown").EnumerateObject().Select(part => part.Name)));

        // The rows are the run's: a resume goes on with the same, and refuses others.
        (code, _, error) = await Shell.RunAsync("resume", "sums", "--runs-dir", Runs, "--set", "run.steps = 3");
        Assert.True(code == 0, error);
        Assert.Equal([1, 2, 3], File.ReadLines(directory.Metrics).Select(line => JsonElement.Parse(line).GetProperty("step").GetInt32()));
        File.AppendAllText(rows, "{\"question\": \"1 and 1?\", \"answer\": \"#### 2\"}\n");
        (code, _, error) = await Shell.RunAsync("resume", "sums", "--runs-dir", Runs, "--set", "run.steps = 4");
        Assert.Equal(2, code);
        Assert.Matches($"data.train = {rows}: the files have SHA-256 [0-9a-f]{{64}}, and the run has begun with [0-9a-f]{{64}} - ", error);
    }

    /// <summary>The d1 paper's task with numbers to 9, from a file: learned from answers first, then from rewards.</summary>
    [Fact]
    public async Task Run_on_countdown_rows_must_be_rewarded_above_its_base()
    {
        var rows = _folder.File("countdown.jsonl", string.Concat(Countdowns(3000).Select(item => JsonSerializer.Serialize(item) + "\n")));
        var conf = _folder.File("countdown.conf", $$"""
            run { name = countdown, steps = 80 }
            data { train = "{{rows}}", format = rows, held-out = 0.1, max-prompt-tokens = 16 }
            model.size { width = 64, layers = 3, heads = 4, mlp = 128 }
            compute.threads = 1
            warmup { steps = 250, batch = 128, lr = 3e-3 }
            rollout { gen-length = 8, block-length = 8, steps = 4, groups-per-step = 16, group-size = 8 }
            algorithm { advantage = group-z, lr = 6e-4, lr-schedule.warmup-steps = 5 }
            eval { every = 0, final-prompts = 64, samples = 2 }
            checkpoint.every = 40
            reward.pools.answer { kind = countdown, right-numbers = 0.3 }
            """);
        var (code, _, error) = await Shell.RunAsync("train", conf, "--runs-dir", Runs);
        Assert.True(code == 0, error);
        var rewards = File.ReadLines(new RunDirectory(Path.Combine(Runs, "countdown")).Metrics).Select(line => JsonElement.Parse(line).GetProperty("reward/mean").GetDouble()).ToArray();
        Assert.Equal(80, rewards.Length);
        var (before, after) = (rewards[..5].Average(), rewards[^15..].Average());
        Assert.True(after > 1.3 * before, FormattableString.Invariant($"mean reward {before:0.000} at first, {after:0.000} at last"));
    }

    /// <summary>Sums by their answer, and by what a model behind an endpoint says of the text.</summary>
    [Fact]
    public async Task Run_with_a_judge_beside_a_verifier_must_be_rewarded_by_both()
    {
        await using var server = new JudgeServer(Behave.By(call => Behave.Score(call.Body.Length % 11)));
        var rows = _folder.File("sums.jsonl", string.Concat(Sums(100).Select(sum => JsonSerializer.Serialize(new { question = $"{sum.A} and {sum.B}?", answer = $"#### {sum.A + sum.B}" }) + "\n")));
        var conf = _folder.File("judged.conf", $$"""
            run { name = judged, steps = 2 }
            data { train = "{{rows}}", format = gsm8k, template = plain, held-out = 0.2, max-prompt-tokens = 16 }
            warmup { steps = 20, batch = 16, lr = 3e-3 }
            rollout { gen-length = 8, block-length = 8, steps = 8, groups-per-step = 2, group-size = 4 }
            learner.shards = 2
            eval { every = 0, final-prompts = 4, samples = 1 }
            reward.pools { answer { kind = gsm8k }, judge { kind = judge, url = "{{server.Url}}", model = any, weight = 0.5, timeout = 2 minutes, on-failure = skip } }
            {{TinyModel}}
            """);
        var (code, _, error) = await Shell.RunAsync("train", conf, "--runs-dir", Runs);
        Assert.True(code == 0, error);
        var rollouts = File.ReadLines(Path.Combine(new RunDirectory(Path.Combine(Runs, "judged")).Rollouts, "step_2.jsonl")).Select(line => JsonElement.Parse(line)).ToArray();
        Assert.Equal(8, rollouts.Length);
        foreach (var rollout in rollouts)
        {
            var parts = rollout.GetProperty("breakdown");
            Assert.Equal(parts.GetProperty("answer").GetDouble() + (0.5 * parts.GetProperty("judge").GetDouble()), rollout.GetProperty("reward").GetDouble(), 1e-9);
        }

        Assert.NotEmpty(server.Questions);
        Assert.All(server.Questions, question => Assert.Contains(" and ", question.Body, StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("warmup.steps = 1", "rows.jsonl has no answer of at most 7 tokens - a warm-up learns from answers, and there are 40 rows")]
    [InlineData("data.held-out = 0", "data.held-out must be above 0 without data.eval")]
    [InlineData("data.max-prompt-tokens = 1", "rows.jsonl leaves nothing to train on - 40 rows: 0 to train on")]
    [InlineData("task.name = sort5", "task.name must be null with data.train = ")]
    [InlineData("data.template = \"say it\"", "data.template must be one of own, plain, tags, boxed, boxed-first, code-block, or a text with {prompt}, got \"say it\"")]
    [InlineData("data.max-prompt-tokens = 20000", "data.max-prompt-tokens must leave room for an answer: with rollout.gen-length (8) at most learner.micro-batch-tokens (16384), got 20000 - write max-prompt-tokens = 16376, or micro-batch-tokens = 20008")]
    [InlineData("data.train = gone.jsonl", "Could not find file")]
    public async Task Rows_that_a_run_cannot_use_must_be_refused_before_it_begins(string set, string message)
    {
        var rows = _folder.File("rows.jsonl", string.Concat(Enumerable.Range(0, 40).Select(i => $$"""{"prompt": "say {{i}}", "answer": "{{i}} is what is to be said"}{{"\n"}}""")));
        var conf = _folder.File("rows.conf", $$"""
            data.train = "{{rows}}"
            warmup.steps = 0
            rollout { gen-length = 8, block-length = 8, steps = 4 }
            reward.pools.answer { kind = exact }
            {{TinyModel}}
            """);
        var (code, _, error) = await Shell.RunAsync("train", conf, "--runs-dir", Runs, "--set", set);
        Assert.Equal(2, code);
        Assert.Contains(message, error, StringComparison.Ordinal);
        Assert.False(Directory.Exists(Path.Combine(Runs, "rows")));
    }

    private static IEnumerable<(int A, int B)> Sums(int count) => Enumerable.Range(0, count).Select(i => (i % 20, i / 20));

    private static IEnumerable<object> Countdowns(int count)
    {
        var random = new CounterRandom(5);
        for (long i = 0, made = 0; made < count; i++)
        {
            int Draw(int bound, int position) => random.Below(bound, RandomStream.Prompt, i, position: position);
            var (a, b, c, plus) = (1 + Draw(9, 0), 1 + Draw(9, 1), 1 + Draw(9, 2), Draw(2, 3) == 0);
            var (text, value) = plus ? ($"({a}+{b})*{c}", (a + b) * c) : ($"{a}*{b}-{c}", (a * b) - c);
            if (value is < 1 or > 99) continue;
            made++;
            // The order of the numbers tells nothing of the answer.
            int[] given = Draw(2, 4) == 0 ? [c, a, b] : [b, c, a];
            var problem = $"{string.Join(',', given)}={value}";
            yield return new { prompt = problem, answer = text, reference = problem };
        }
    }
}
