using System.Collections.Immutable;
using Lateral.Core.Policies;
using Lateral.Core.Prompts;
using Lateral.Core.Rollouts;
using Lateral.Core.Runs;
using Lateral.Node.Runs;

namespace Lateral.Node.Evaluation;

/// <summary>The prompts of an evaluation: a task's held-out split, or the rows of a file.</summary>
public sealed record EvaluationPrompts(int Count, Func<int, Prompt> At)
{
    public static EvaluationPrompts HeldOut(IPromptSource source) => new(source.HeldOutCount, source.HeldOut);
}

/// <summary>
/// Sampled pass@1, greedy pass@1, pass@k, how many different right answers a prompt's attempts have and, where asked for, the majority's answer of a pinned policy version. Attempts are drawn from the evaluation streams and
/// keyed by prompt index and attempt, so two versions are compared under the same random numbers.
/// </summary>
/// <remarks>Sampled pass@1 is the mean over prompts of passed / attempts: with k attempts a prompt its noise is smaller, its value the same.</remarks>
public sealed class SamplingEvaluator(
    EvaluationSampler sampler, IPolicyCache cache, EvaluationPrompts prompts, AnswerJudge judge,
    RolloutSpec spec, EvaluationSettings settings, TimeProvider time) : IEvaluator, IAsyncDisposable
{
    public async Task<ImmutableSortedDictionary<string, double>> EvaluateAsync(PolicyManifest policy, bool full, CancellationToken cancellation)
    {
        var started = time.GetTimestamp();
        var path = await cache.FetchAsync(policy, cancellation);
        var count = Math.Min(full ? settings.FinalPrompts : settings.Prompts, prompts.Count);
        var attempts = full ? settings.Samples : 1;
        var judged = await JudgedAsync(policy, path, spec, count, attempts, cancellation);
        int[] passed = [.. judged.Select(own => own.Count(attempt => attempt.Passed))];
        var metrics = ImmutableSortedDictionary.CreateBuilder<string, double>(StringComparer.Ordinal);
        metrics["eval/pass_at_1"] = passed.Average(c => (double)c / attempts);
        metrics["eval/prompts"] = count;
        if (full)
        {
            // Whether training has widened what a model can do at all shows at large k only (Yue et al., arXiv 2504.13837).
            for (var k = 2; k <= attempts; k *= 2) metrics[$"eval/pass_at_{k}"] = passed.Average(c => PassAtK.Estimate(attempts, c, k));
            metrics["eval/pass_at_k"] = passed.Average(c => PassAtK.Estimate(attempts, c, attempts));
            metrics["eval/distinct_correct"] = judged.Average(own => own.Where(attempt => attempt.Passed).Select(attempt => attempt.Text).Distinct(StringComparer.Ordinal).Count());
            if (settings.Vote > 0) metrics[$"{EvaluationPoint.VoteMetric}{settings.Vote}"] = judged.Average(own => Elected(own[..settings.Vote]) ? 1.0 : 0);
            var greedy = await JudgedAsync(policy, path, spec with { Temperature = 0 }, count, 1, cancellation);
            metrics["eval/greedy"] = greedy.Average(own => own[0].Passed ? 1.0 : 0);
        }

        metrics["eval/seconds"] = time.GetElapsedTime(started).TotalSeconds;
        return metrics.ToImmutable();
    }

    public ValueTask DisposeAsync() => sampler.DisposeAsync();

    /// <summary>Whether the attempt that the majority elects is right.</summary>
    private static bool Elected(Attempt[] attempts) => MajorityVote.Winner([.. attempts.Select(attempt => attempt.Answer)]) is { } winner && attempts[winner].Passed;

    /// <summary>[prompts][attempts] what each attempt answers and whether it is right.</summary>
    private async Task<Attempt[][]> JudgedAsync(PolicyManifest policy, string path, RolloutSpec how, int count, int attempts, CancellationToken cancellation)
    {
        ImmutableArray<int> siblings = [.. Enumerable.Range(0, attempts)];
        SampleTask[] tasks = [.. Enumerable.Range(0, count).Select(index => new SampleTask(index, siblings, prompts.At(index), how, Evaluation: true))];
        var judged = tasks.Select(_ => new Attempt[attempts]).ToArray();
        foreach (var trajectory in await sampler.SampleAsync(policy, path, tasks, cancellation))
        {
            var index = (int)trajectory.Id.Group;
            var passed = (await judge.JudgeAsync(trajectory, tasks[index].Prompt, cancellation)).Passed;
            judged[index][trajectory.Id.Sibling] = new(trajectory.Text, judge.FinalAnswer(trajectory.Text), passed);
        }

        return judged;
    }

    private readonly record struct Attempt(string Text, string? Answer, bool Passed);
}
