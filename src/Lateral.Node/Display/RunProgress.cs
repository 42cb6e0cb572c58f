using System.Collections.Immutable;
using Lateral.Core.Learning;
using Lateral.Core.Runs;
using Lateral.Node.Runs;

namespace Lateral.Node.Display;

/// <summary>
/// What the console knows of a run: a fold over what the recorder is told and what the run says of itself. No clock inside;
/// seconds come from the metrics.
/// </summary>
/// <param name="StepSeconds">seconds of the last steps, newest last</param>
/// <param name="Speedups">speed-up over a synchronous run in the last steps: what was measured, and the limit</param>
/// <param name="Rewards">mean reward of every step this process saw</param>
public sealed record RunProgress(
    RunSettings Settings,
    WarmupProgress? Warmup,
    ImmutableList<EvaluationPoint> Evaluations,
    StepReport? Last,
    ImmutableList<double> StepSeconds,
    ImmutableList<(double Measured, double Predicted)> Speedups,
    ImmutableList<double> Rewards,
    ImmutableArray<SampleView> Samples,
    RunStatus? Status)
{
    /// <summary>Steps the time per step is averaged over: short enough to follow a change, long enough not to jump.</summary>
    private const int Window = 20;

    /// <param name="before">evaluations of earlier attempts</param>
    public static RunProgress Start(RunSettings settings, params IEnumerable<EvaluationPoint> before) => new(settings, null, [.. before], null, [], [], [], [], null);

    /// <summary>Whether the run is this process's, or only helped by it.</summary>
    public bool OwnsRun { get; init; } = true;

    public RunProgress With(WarmupProgress warmup) => this with { Warmup = warmup };

    public RunProgress With(RunStatus status) => this with { Status = status };

    public RunProgress With(BaseReady ready) => this with { Warmup = null, Evaluations = Record(new EvaluationPoint(0, ready.Metrics)) };

    public RunProgress With(StepReport report, ImmutableArray<SampleView> samples)
    {
        var evaluation = report.Metrics.Where(metric => metric.Key.StartsWith("eval/", StringComparison.Ordinal)).ToImmutableSortedDictionary(StringComparer.Ordinal);
        return this with
        {
            Warmup = null,
            Last = report,
            Samples = samples.IsDefaultOrEmpty ? Samples : samples,
            Rewards = report.Metrics.TryGetValue("reward/mean", out var reward) ? Rewards.Add(reward) : Rewards,
            StepSeconds = report.Metrics.TryGetValue("time/seconds", out var seconds) ? [.. StepSeconds.TakeLast(Window - 1), seconds] : StepSeconds,
            Speedups = report.Metrics.TryGetValue("speedup/measured", out var measured) && report.Metrics.TryGetValue("speedup/predicted", out var predicted)
                ? [.. Speedups.TakeLast(Window - 1), (measured, predicted)]
                : Speedups,
            Evaluations = evaluation.IsEmpty ? Evaluations : Record(new EvaluationPoint(report.Step, evaluation)),
        };
    }

    /// <summary>
    /// Of the part the run is in: the warm-up, then the steps; null until there is something to go by. By the median step,
    /// because the first step holds the start-up and some hold an evaluation.
    /// </summary>
    public TimeSpan? Remaining => this switch
    {
        { Warmup: { Step: > 0 } w } => TimeSpan.FromSeconds(w.Seconds / w.Step * (w.Steps - w.Step)),
        { Last: { } last, StepSeconds.IsEmpty: false } => TimeSpan.FromSeconds(StepSeconds.Order().ElementAt(StepSeconds.Count / 2) * (Settings.Steps - last.Step)),
        _ => null,
    };

    /// <summary>Why the run does what it does; null before it said anything.</summary>
    public Diagnosis? Diagnosis => Status is null ? null : RunDiagnosis.Of(Status, Surroundings.Inside);

    /// <summary>A recovered run tells of its base and of replayed steps again.</summary>
    private ImmutableList<EvaluationPoint> Record(EvaluationPoint point) => [.. Evaluations.Where(e => e.Step != point.Step), point];
}
