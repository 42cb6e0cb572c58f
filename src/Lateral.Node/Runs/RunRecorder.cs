using Lateral.Core;
using System.Collections.Immutable;
using System.Text.Json;
using Lateral.Core.Learning;
using Lateral.Core.Prompts;
using Lateral.Core.Runs;

namespace Lateral.Node.Runs;

/// <summary>
/// Writes the run directory as the run goes on: metrics.jsonl, eval.jsonl, rollouts/ and STATUS.md.
/// </summary>
/// <remarks>
/// Invariant: a step's line in metrics.jsonl is written after its archive and its evaluation, and only once, so that the
/// line says "recorded". Metrics that begin with <c>eval/</c> also go to eval.jsonl. <c>time/elapsed</c> counts the
/// seconds this run was worked on, attempts added up.
/// </remarks>
public sealed class RunRecorder : IRunRecorder
{
    private const string Elapsed = "time/elapsed";

    private readonly RunDirectory _directory;
    private readonly RunSettings _settings;
    private readonly TimeProvider _time;
    private readonly long _opened;
    private readonly double _secondsBefore;
    private readonly JsonLinesFile _metrics;
    private readonly JsonLinesFile _evaluations;
    private readonly RolloutArchive _archive;

    public RunRecorder(RunDirectory directory, RunSettings settings, ITokenizer tokenizer, TimeProvider time)
    {
        (_directory, _settings, _time) = (directory, settings, time);
        _opened = time.GetTimestamp();
        _metrics = new JsonLinesFile(directory.Metrics);
        _evaluations = new JsonLinesFile(directory.Evaluations);
        _archive = new RolloutArchive(directory.Rollouts, tokenizer);
        _secondsBefore = Seconds(_metrics) is > 0 and var seconds ? seconds : Seconds(_evaluations);
    }

    public int LastRecordedStep => Math.Max(0, _metrics.LastStep);

    /// <summary>The warm-up leaves no file behind: its result is the base's checkpoint.</summary>
    public void Warmup(WarmupProgress progress)
    {
    }

    public Task RecordBaseAsync(BaseReady ready, CancellationToken cancellation)
    {
        _evaluations.Append(0, WithElapsed(ready.Metrics));
        WriteStatus();
        return Task.CompletedTask;
    }

    public Task RecordStepAsync(StepReport report, LearnerBatch? batch, CancellationToken cancellation)
    {
        if (report.Step <= LastRecordedStep) return Task.CompletedTask;
        if (batch is not null) _archive.Write(batch);
        var metrics = WithElapsed(report.Metrics);
        var evaluation = report.Metrics.Where(metric => metric.Key.StartsWith("eval/", StringComparison.Ordinal)).ToImmutableArray();
        if (!evaluation.IsEmpty) _evaluations.Append(report.Step, evaluation.Append(KeyValuePair.Create(Elapsed, metrics[Elapsed])));
        _metrics.Append(report.Step, metrics, [KeyValuePair.Create("policy_version", report.Policy.Version)]);
        WriteStatus();
        return Task.CompletedTask;
    }

    private ImmutableSortedDictionary<string, double> WithElapsed(ImmutableSortedDictionary<string, double> metrics) =>
        metrics.ContainsKey(Elapsed) ? metrics : metrics.Add(Elapsed, Math.Round(_secondsBefore + _time.GetElapsedTime(_opened).TotalSeconds, 3));

    private void WriteStatus() => DurableFile.WriteText(
        _directory.Status,
        StatusPage.Render(_settings, _metrics.Last, [.. JsonLinesFile.Read(_directory.Evaluations)]),
        sync: false);

    /// <summary>What eval.jsonl holds, oldest first.</summary>
    public static ImmutableArray<EvaluationPoint> ReadEvaluations(RunDirectory directory) =>
    [
        .. JsonLinesFile.Read(directory.Evaluations).Select(line => new EvaluationPoint(
            line.GetProperty("step").GetInt32(),
            line.EnumerateObject().Where(property => property.Name != "step" && property.Value.ValueKind == JsonValueKind.Number)
                .ToImmutableSortedDictionary(property => property.Name, property => property.Value.GetDouble(), StringComparer.Ordinal))),
    ];

    private static double Seconds(JsonLinesFile file) =>
        file.Last is { } last && last.TryGetProperty(Elapsed, out var seconds) && seconds.TryGetDouble(out var value) ? value : 0;
}
