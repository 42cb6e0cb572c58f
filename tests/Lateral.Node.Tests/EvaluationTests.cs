using System.Collections.Immutable;
using Lateral.Core.Policies;
using Lateral.Core.Prompts;
using Lateral.Core.Rewards;
using Lateral.Core.Rollouts;
using Lateral.Core.Runs;
using Lateral.Node.Evaluation;

namespace Lateral.Node.Tests;

public sealed class EvaluationTests
{
    private static readonly RolloutSpec Spec = new(2, 2, 2, 1, "max-prob", true);
    private static readonly PolicyManifest Policy = new(1, 5, "hash-5", "", PayloadKind.Full, 1, "policies/v5.safetensors");

    [Theory]
    [InlineData(4, 2, 1)]
    [InlineData(4, 2, 2)]
    [InlineData(5, 1, 3)]
    [InlineData(6, 0, 2)]
    [InlineData(6, 6, 6)]
    public void Pass_at_k_must_equal_the_share_of_all_subsets_of_k_attempts_that_hold_a_pass(int n, int c, int k)
    {
        var subsets = Enumerable.Range(0, 1 << n).Where(mask => int.PopCount(mask) == k).ToList();
        var passing = subsets.Count(mask => (mask & ((1 << c) - 1)) != 0);
        Assert.Equal((double)passing / subsets.Count, PassAtK.Estimate(n, c, k), 12);
    }

    [Fact]
    public void Pass_at_k_must_refuse_what_is_not_defined()
    {
        Assert.Throws<ArgumentOutOfRangeException>(() => PassAtK.Estimate(3, 1, 4));
        Assert.Throws<ArgumentOutOfRangeException>(() => PassAtK.Estimate(3, 4, 1));
    }

    [Fact]
    public async Task Full_evaluation_must_average_attempts_and_count_prompts_with_any_pass()
    {
        // Prompt 0 passes in 1 of 4 attempts, prompt 1 in 4 of 4, prompt 2 never; greedily only prompt 1 passes.
        var sampler = new ScriptedSampler((task, sibling) => task.Spec.Temperature == 0 ? (task.Group == 1 ? "right" : "wrong")
            : task.Group == 1 || (task.Group == 0 && sibling == 2) ? "right" : "wrong");
        await using var evaluator = Evaluator(sampler, new EvaluationSettings(10, 2, 3, 4));
        var metrics = await evaluator.EvaluateAsync(Policy, full: true, default);
        Assert.Equal((0.25 + 1 + 0) / 3, metrics["eval/pass_at_1"], 12);
        // One pass in four attempts: half of the pairs hold it.
        Assert.Equal((0.5 + 1 + 0) / 3, metrics["eval/pass_at_2"], 12);
        Assert.Equal(metrics["eval/pass_at_k"], metrics["eval/pass_at_4"]);
        Assert.Equal(2.0 / 3, metrics["eval/pass_at_k"], 12);
        Assert.Equal(1.0 / 3, metrics["eval/greedy"], 12);
        Assert.Equal(3, metrics["eval/prompts"]);
        Assert.Equal(["hash-5"], sampler.Swaps);
        Assert.All(sampler.Tasks, task => Assert.True(task.Evaluation));
    }

    /// <summary>Three different right answers, one, and none, beside wrong ones.</summary>
    [Fact]
    public async Task Different_right_answers_of_a_prompt_must_be_counted_once_each()
    {
        string[][] completions = [["right 1", "right 2", "right 1", "right 3"], ["wrong 1", "right", "right", "wrong 2"], ["wrong 1", "wrong 2", "wrong 3", "wrong 4"]];
        await using var evaluator = Evaluator(new ScriptedSampler((task, sibling) => completions[task.Group][sibling]), new EvaluationSettings(10, 2, 3, 4));
        Assert.Equal(4.0 / 3, (await evaluator.EvaluateAsync(Policy, full: true, default))["eval/distinct_correct"], 12);
    }

    [Theory]
    [InlineData(new[] { "a", "b", "b" }, 1)]
    [InlineData(new[] { "a", "b", "b", "a" }, 0)]
    [InlineData(new[] { "c", "b", "a", "a", "b" }, 1)]
    [InlineData(new[] { null, null, "a" }, 2)]
    [InlineData(new string?[] { null, null }, null)]
    [InlineData(new string?[0], null)]
    public void Majority_must_be_the_most_frequent_answer_and_of_equals_the_first_seen(string?[] answers, int? winner) => Assert.Equal(winner, MajorityVote.Winner(answers));

    [Fact]
    public async Task Vote_must_judge_what_the_first_samples_elect()
    {
        // Of five samples the first four vote. Prompt 0: right 2, wrong 1, none 1: right. Prompt 1: a tie that a wrong one opens. Prompt 2: no answer at all among the four.
        string[][] completions = [["wrong", "right", "", "right", "wrong"], ["wrong", "right", "right", "wrong", "right"], ["", "", "", "", "right"]];
        var sampler = new ScriptedSampler((task, sibling) => completions[task.Group][sibling]);
        await using var evaluator = Evaluator(sampler, new EvaluationSettings(10, 2, 3, 5) { Vote = 4 });
        var metrics = await evaluator.EvaluateAsync(Policy, full: true, default);
        Assert.Equal(1.0 / 3, metrics["eval/vote_at_4"], 12);
        Assert.Equal((0.4 + 0.6 + 0.2) / 3, metrics["eval/pass_at_1"], 12);
        Assert.DoesNotContain("eval/vote_at_4", (await evaluator.EvaluateAsync(Policy, full: false, default)).Keys);
    }

    [Fact]
    public async Task Short_evaluation_must_sample_each_prompt_once_and_nothing_greedily()
    {
        var sampler = new ScriptedSampler((task, _) => task.Group == 0 ? "right" : "wrong");
        await using var evaluator = Evaluator(sampler, new EvaluationSettings(10, 2, 3, 4));
        var metrics = await evaluator.EvaluateAsync(Policy, full: false, default);
        Assert.Equal(["eval/pass_at_1", "eval/prompts", "eval/seconds"], metrics.Keys);
        Assert.Equal((0.5, 2.0), (metrics["eval/pass_at_1"], metrics["eval/prompts"]));
        Assert.All(sampler.Tasks, task => Assert.Equal(0, Assert.Single(task.Siblings)));
    }

    [Fact]
    public async Task Sampler_that_delivers_nothing_must_end_the_evaluation_and_be_replaced()
    {
        var samplers = new Queue<ScriptedSampler>([new ScriptedSampler((_, _) => null), new ScriptedSampler((_, _) => "right")]);
        var made = 0;
        await using var sampling = new EvaluationSampler(() => { made++; return samplers.Dequeue(); }, TimeSpan.FromMilliseconds(50));
        SampleTask[] tasks = [new(0, [0], Prompt(0), Spec, true)];
        var error = await Assert.ThrowsAsync<TimeoutException>(() => sampling.SampleAsync(Policy, "path", tasks, default));
        Assert.Contains("0 of 1", error.Message, StringComparison.Ordinal);
        Assert.Equal("right", Assert.Single(await sampling.SampleAsync(Policy, "path", tasks, default)).Text);
        Assert.Equal(2, made);
    }

    [Fact]
    public async Task Judge_must_ask_every_pool_that_knows_the_answer()
    {
        var answer = Pool("answer", 1, _ => Scored(1, ("answer", 1)));
        var shape = Pool("shape", 0.5, _ => Scored(0.4, ("format", 0)));
        var strict = Pool("strict", 2, _ => Scored(0.5, ("answer", 0)));
        Assert.Equal(new Judgement(1.2, true), await JudgeAsync(answer, shape));
        Assert.Equal(new Judgement(2.2, false), await JudgeAsync(answer, shape, strict));
        Assert.Equal(new Judgement(0.25, false), await JudgeAsync(Pool("code", 1, _ => new RewardOutcome.ModelFault("crash"), faultReward: 0.25)));
    }

    [Fact]
    public async Task Judge_must_retry_infrastructure_and_never_make_a_number_of_it()
    {
        var calls = 0;
        var flaky = Pool("flaky", 1, _ => ++calls < 3 ? new RewardOutcome.InfraFault("503") : Scored(1, ("answer", 1)));
        Assert.True((await JudgeAsync(flaky)).Passed);
        Assert.Equal(3, calls);

        var broken = await Assert.ThrowsAsync<UserException>(() => JudgeAsync(Pool("broken", 1, _ => new RewardOutcome.InfraFault("503"))));
        Assert.Equal(ExitCode.Environment, broken.Code);
        Assert.Contains("'broken' failed 3 times", broken.Message, StringComparison.Ordinal);

        // One that a group may go on without, an evaluation may, too.
        var away = Pool("away", 1, _ => new RewardOutcome.InfraFault("503"));
        Assert.Equal(new Judgement(1, true), await JudgeAsync(Pool("answer", 1, _ => Scored(1, ("answer", 1))), away with { Spec = away.Spec with { OnFailure = PoolFailureAnswer.Skip } }));
    }

    [Fact]
    public async Task Judge_must_not_wait_for_a_verifier_beyond_its_deadline()
    {
        var hanging = new JudgePool(Spec0("hanging") with { Timeout = TimeSpan.FromMilliseconds(20) }, new Verifier(_ => null));
        Assert.Contains("no answer within 0.02s", (await Assert.ThrowsAsync<UserException>(() => JudgeAsync(hanging))).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Judge_must_refuse_pools_that_know_no_answer() =>
        Assert.Contains("'answer' part", (await Assert.ThrowsAsync<UserException>(() => JudgeAsync(Pool("shape", 1, _ => Scored(1, ("format", 1)))))).Message, StringComparison.Ordinal);

    private static SamplingEvaluator Evaluator(ScriptedSampler sampler, EvaluationSettings settings) => new(
        new EvaluationSampler(() => sampler, TimeSpan.FromSeconds(10)), new AnyCache(), new EvaluationPrompts(10, Prompt),
        new AnswerJudge([new JudgePool(Spec0("answer"), new Verifier(r => Scored(1, ("answer", r.Completion.StartsWith("right", StringComparison.Ordinal) ? 1 : 0))))]) { FinalAnswer = text => text.Length > 0 ? text : null }, Spec, settings, TimeProvider.System);

    private static Task<Judgement> JudgeAsync(params JudgePool[] pools) =>
        new AnswerJudge(pools).JudgeAsync(Fixtures.Trajectory(0, 0, "1", "12", 0, 1), Prompt(0), default);

    private static Prompt Prompt(int index) => new(index, [1], "1", "1");

    private static RewardPoolSpec Spec0(string name, double weight = 1, double faultReward = 0) => new(name, "any", 1, weight, TimeSpan.FromSeconds(10), faultReward);

    private static JudgePool Pool(string name, double weight, Func<RewardRequest, RewardOutcome?> score, double faultReward = 0) =>
        new(Spec0(name, weight, faultReward), new Verifier(score));

    private static RewardOutcome.Scored Scored(double value, params (string Part, double Value)[] parts) =>
        new(value, parts.ToImmutableSortedDictionary(part => part.Part, part => part.Value, StringComparer.Ordinal));

    /// <summary>Scores by a function; null = hangs until cancelled.</summary>
    private sealed class Verifier(Func<RewardRequest, RewardOutcome?> score) : IReward
    {
        public async ValueTask<RewardOutcome> ScoreAsync(RewardRequest request, CancellationToken cancellation)
        {
            if (score(request) is { } outcome) return outcome;
            await Task.Delay(Timeout.Infinite, cancellation);
            throw new InvalidOperationException("not reached");
        }
    }

    private sealed class AnyCache : IPolicyCache
    {
        public Task<string> FetchAsync(PolicyManifest manifest, CancellationToken cancellation) => Task.FromResult(manifest.Location);
    }

    /// <summary>Finishes every rollout with the text a function gives; null = never.</summary>
    private sealed class ScriptedSampler(Func<SampleTask, int, string?> complete) : ISampler
    {
        private readonly Queue<Trajectory> _finished = new();

        public List<SampleTask> Tasks { get; } = [];

        public List<string> Swaps { get; } = [];

        public SamplerStatistics Statistics => SamplerStatistics.Zero;

        public void Submit(SampleTask task)
        {
            Tasks.Add(task);
            foreach (var sibling in task.Siblings)
                if (complete(task, sibling) is { } text) _finished.Enqueue(Fixtures.Trajectory(task.Group, sibling, "1", "12", 0, 1) with { Text = text });
        }

        public void Cancel(long group) => throw new NotSupportedException();

        public Task SwapAsync(PolicyManifest manifest, string path)
        {
            Swaps.Add(manifest.Hash);
            return Task.CompletedTask;
        }

        public async Task<IReadOnlyList<Trajectory>> NextFinishedAsync(CancellationToken cancellation)
        {
            if (_finished.TryDequeue(out var trajectory)) return [trajectory];
            await Task.Delay(Timeout.Infinite, cancellation);
            throw new InvalidOperationException("not reached");
        }

        public ValueTask DisposeAsync() => ValueTask.CompletedTask;
    }
}
