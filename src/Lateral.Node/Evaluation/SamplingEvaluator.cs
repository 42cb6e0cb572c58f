using System.Collections.Immutable;
using Lateral.Core.Policies;
using Lateral.Core.Prompts;
using Lateral.Core.Rollouts;
using Lateral.Core.Runs;

namespace Lateral.Node.Evaluation;

/// <summary>The prompts of an evaluation: a task's held-out split, or the rows of a file.</summary>
public sealed record EvaluationPrompts(int Count, Func<int, Prompt> At)
{
    public static EvaluationPrompts HeldOut(IPromptSource source) => new(source.HeldOutCount, source.HeldOut);
}

/// <summary>
/// Sampled pass@1, greedy pass@1 and pass@k of a pinned policy version. Attempts are drawn from the evaluation streams and
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
        var passed = await PassedAsync(policy, path, spec, count, attempts, cancellation);
        var metrics = ImmutableSortedDictionary.CreateBuilder<string, double>(StringComparer.Ordinal);
        metrics["eval/pass_at_1"] = passed.Average(c => (double)c / attempts);
        metrics["eval/prompts"] = count;
        if (full)
        {
            // Whether training has widened what a model can do at all shows at large k only (Yue et al., arXiv 2504.13837).
            for (var k = 2; k <= attempts; k *= 2) metrics[$"eval/pass_at_{k}"] = passed.Average(c => PassAtK.Estimate(attempts, c, k));
            metrics["eval/pass_at_k"] = passed.Average(c => PassAtK.Estimate(attempts, c, attempts));
            var greedy = await PassedAsync(policy, path, spec with { Temperature = 0 }, count, 1, cancellation);
            metrics["eval/greedy"] = greedy.Average();
        }

        metrics["eval/seconds"] = time.GetElapsedTime(started).TotalSeconds;
        return metrics.ToImmutable();
    }

    public ValueTask DisposeAsync() => sampler.DisposeAsync();

    /// <summary>[prompts] how many of each prompt's attempts are right.</summary>
    private async Task<int[]> PassedAsync(PolicyManifest policy, string path, RolloutSpec how, int count, int attempts, CancellationToken cancellation)
    {
        ImmutableArray<int> siblings = [.. Enumerable.Range(0, attempts)];
        SampleTask[] tasks = [.. Enumerable.Range(0, count).Select(index => new SampleTask(index, siblings, prompts.At(index), how, Evaluation: true))];
        var passed = new int[count];
        foreach (var trajectory in await sampler.SampleAsync(policy, path, tasks, cancellation))
        {
            var index = (int)trajectory.Id.Group;
            if ((await judge.JudgeAsync(trajectory, tasks[index].Prompt, cancellation)).Passed) passed[index]++;
        }

        return passed;
    }
}
