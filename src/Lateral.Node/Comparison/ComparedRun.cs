using System.Collections.Immutable;
using System.Text.Json;
using Lateral.Node.Runs;

namespace Lateral.Node.Comparison;

/// <summary>A step of a compared run.</summary>
/// <param name="Seconds">since the run's first step began</param>
/// <param name="Rollouts">trained up to and with this step</param>
/// <param name="Reward">mean over the step's rollouts</param>
internal readonly record struct ComparedStep(double Seconds, double Rollouts, double Reward);

/// <summary>One algorithm with one seed within its budget.</summary>
/// <param name="Steps">at least one where there is no failure</param>
/// <param name="PassAt1">of the last saved policy on held-out prompts</param>
/// <param name="Failure">why it has no result; null = it has</param>
internal sealed record ComparedRun(string Algorithm, int Seed, ImmutableArray<ComparedStep> Steps, double PassAt1, string? Failure)
{
    /// <summary>Mean reward of the last fifth of the steps.</summary>
    public double LateReward => Steps.Skip(Steps.Length * 4 / 5).Average(step => step.Reward);

    /// <summary>The steps of a run directory within the budget, which begins with its first step.</summary>
    public static ImmutableArray<ComparedStep> Read(RunDirectory run, int rolloutsPerStep, TimeSpan budget)
    {
        var steps = JsonLinesFile.Read(run.Metrics)
            .Where(line => line.TryGetProperty("time/elapsed", out _) && line.TryGetProperty("reward/mean", out var reward) && reward.ValueKind == JsonValueKind.Number)
            .ToList();
        if (steps.Count == 0) return [];
        var begin = Number(steps[0], "time/elapsed") - Number(steps[0], "time/seconds");
        return
        [
            .. steps.Select(line => new ComparedStep(Number(line, "time/elapsed") - begin, (double)line.GetProperty("step").GetInt32() * rolloutsPerStep, Number(line, "reward/mean")))
                .TakeWhile(step => step.Seconds <= budget.TotalSeconds),
        ];

        static double Number(JsonElement line, string name) => line.GetProperty(name).GetDouble();
    }
}
