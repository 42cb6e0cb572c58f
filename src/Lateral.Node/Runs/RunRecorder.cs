using System.Collections.Immutable;
using System.Text.Json;
using Lateral.Core;
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
    private readonly Lazy<Files> _files;

    public RunRecorder(RunDirectory directory, RunSettings settings, ITokenizer tokenizer, TimeProvider time)
    {
        (_directory, _settings, _time) = (directory, settings, time);
        _files = new Lazy<Files>(() => new Files(directory, tokenizer, time));
    }

    public int LastRecordedStep => Math.Max(0, _files.Value.Metrics.LastStep);

    /// <summary>The warm-up leaves no file behind: its result is the base's checkpoint.</summary>
    public void Warmup(WarmupProgress progress)
    {
    }

    public Task RecordBaseAsync(BaseReady ready, CancellationToken cancellation)
    {
        _files.Value.Evaluations.Append(0, WithElapsed(ready.Metrics));
        WriteStatus();
        return Task.CompletedTask;
    }

    public Task RecordStepAsync(StepReport report, LearnerBatch? batch, CancellationToken cancellation)
    {
        if (report.Step <= LastRecordedStep) return Task.CompletedTask;
        if (batch is not null) _files.Value.Archive.Write(batch);
        var metrics = WithElapsed(report.Metrics);
        var evaluation = report.Metrics.Where(metric => metric.Key.StartsWith("eval/", StringComparison.Ordinal)).ToImmutableArray();
        if (!evaluation.IsEmpty) _files.Value.Evaluations.Append(report.Step, evaluation.Append(KeyValuePair.Create(Elapsed, metrics[Elapsed])));
        _files.Value.Metrics.Append(report.Step, metrics, [KeyValuePair.Create("policy_version", report.Policy.Version)]);
        WriteStatus();
        return Task.CompletedTask;
    }

    private ImmutableSortedDictionary<string, double> WithElapsed(ImmutableSortedDictionary<string, double> metrics) =>
        metrics.ContainsKey(Elapsed) ? metrics : metrics.Add(Elapsed, Math.Round(_files.Value.Seconds(_time), 3));

    private void WriteStatus() => DurableFile.WriteText(
        _directory.Status,
        StatusPage.Render(_settings, _files.Value.Metrics.Last, [.. JsonLinesFile.Read(_directory.Evaluations)]),
        sync: false);

    /// <summary>Steps after the given one are trained anew, from other rollouts: their lines and archives say what is not so any more.</summary>
    public static void Forget(RunDirectory directory, int step)
    {
        foreach (var path in new[] { directory.Metrics, directory.Evaluations }) JsonLinesFile.CutAfter(path, step);
        if (!Directory.Exists(directory.Rollouts)) return;
        foreach (var path in Directory.EnumerateFiles(directory.Rollouts, "step_*.jsonl"))
            if (int.TryParse(Path.GetFileNameWithoutExtension(path)["step_".Length..], out var archived) && archived > step) File.Delete(path);
    }

    /// <summary>What eval.jsonl holds, oldest first.</summary>
    public static ImmutableArray<EvaluationPoint> ReadEvaluations(RunDirectory directory) =>
    [
        .. JsonLinesFile.Read(directory.Evaluations).Select(line => new EvaluationPoint(
            line.GetProperty("step").GetInt32(),
            line.EnumerateObject().Where(property => property.Name != "step" && property.Value.ValueKind == JsonValueKind.Number)
                .ToImmutableSortedDictionary(property => property.Name, property => property.Value.GetDouble(), StringComparer.Ordinal))),
    ];

    /// <summary>Opened by the first that is recorded: opening mends what a crash tore, which is for the one process that trains.</summary>
    private sealed class Files
    {
        private readonly long _opened;
        private readonly double _secondsBefore;

        public Files(RunDirectory directory, ITokenizer tokenizer, TimeProvider time)
        {
            _opened = time.GetTimestamp();
            (Metrics, Evaluations, Archive) = (new JsonLinesFile(directory.Metrics), new JsonLinesFile(directory.Evaluations), new RolloutArchive(directory.Rollouts, tokenizer));
            _secondsBefore = SecondsOf(Metrics) is > 0 and var seconds ? seconds : SecondsOf(Evaluations);
        }

        public JsonLinesFile Metrics { get; }

        public JsonLinesFile Evaluations { get; }

        public RolloutArchive Archive { get; }

        /// <summary>The run was worked on for so long, earlier attempts included.</summary>
        public double Seconds(TimeProvider time) => _secondsBefore + time.GetElapsedTime(_opened).TotalSeconds;

        private static double SecondsOf(JsonLinesFile file) =>
            file.Last is { } last && last.TryGetProperty(Elapsed, out var seconds) && seconds.TryGetDouble(out var value) ? value : 0;
    }
}
