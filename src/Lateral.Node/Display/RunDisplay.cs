using System.Collections.Immutable;
using Lateral.Core.Learning;
using Lateral.Core.Prompts;
using Lateral.Core.Runs;
using Lateral.Node.Runs;

namespace Lateral.Node.Display;

/// <summary>Folds what it is told into a <see cref="RunProgress"/> and hands it on, one call at a time.</summary>
/// <param name="before">evaluations of earlier attempts, which are not shown again</param>
public sealed class RunDisplay(RunSettings settings, ITokenizer tokenizer, IRunOutput output, params IReadOnlyList<EvaluationPoint> before)
{
    private const int ShownSamples = 4;

    private readonly Lock _gate = new();
    private readonly HashSet<string> _alerted = new(StringComparer.Ordinal);
    private RunProgress _progress = RunProgress.Start(settings, before);

    /// <summary>Whether the run is this process's, or only helped by it.</summary>
    public bool OwnsRun { get => _progress.OwnsRun; init => _progress = _progress with { OwnsRun = value }; }

    public RunProgress Progress
    {
        get
        {
            lock (_gate) return _progress;
        }
    }

    public void Start() => Tell(progress => progress, output.Started);

    public void Warmup(WarmupProgress warmup) => Tell(progress => progress.With(warmup), output.WarmedUp);

    public void Base(BaseReady ready)
    {
        if (!before.Any(point => point.Step == 0)) Tell(progress => progress.With(ready), progress => output.Evaluated(progress, progress.Evaluations[^1]));
    }

    public void Step(StepReport report, LearnerBatch? batch) => Tell(progress => progress.With(report, Pick(batch)), progress =>
    {
        output.Stepped(progress);
        foreach (var alert in NewAlerts(report)) output.Note($"step {report.Step}: {alert.Message}");
        if (progress.Evaluations is [.., var last] && last.Step == report.Step) output.Evaluated(progress, last);
    });

    public void Status(RunStatus status) => Tell(progress => progress.With(status), output.Polled);

    public void Note(string text) => Tell(progress => progress, _ => output.Note(text));

    public void Finish() => Tell(progress => progress, output.Finished);

    /// <summary>Told when a gauge leaves its limits, and again when it does so after it was back.</summary>
    private List<RatioAlert> NewAlerts(StepReport report)
    {
        var alerts = RatioAlerts.Of(report.Metrics).ToList();
        var fresh = alerts.Where(alert => !_alerted.Contains(alert.Metric)).ToList();
        _alerted.Clear();
        foreach (var alert in alerts) _alerted.Add(alert.Metric);
        return fresh;
    }

    private void Tell(Func<RunProgress, RunProgress> change, Action<RunProgress> tell)
    {
        lock (_gate)
        {
            _progress = change(_progress);
            tell(_progress);
        }
    }

    /// <summary>One rollout each of groups spread over the batch.</summary>
    private ImmutableArray<SampleView> Pick(LearnerBatch? batch)
    {
        if (batch is null || batch.Groups.IsEmpty) return [];
        var count = Math.Min(ShownSamples, batch.Groups.Length);
        return [.. Enumerable.Range(0, count).Select(i => SampleView.Of(batch.Groups[i * batch.Groups.Length / count].Siblings[0], tokenizer))];
    }
}

/// <summary>A recorder that also shows what it records; steps that an earlier process recorded are not shown again.</summary>
public sealed class ShownRecorder(IRunRecorder inner, RunDisplay display) : IRunRecorder
{
    public int LastRecordedStep => inner.LastRecordedStep;

    public void Warmup(WarmupProgress progress)
    {
        inner.Warmup(progress);
        display.Warmup(progress);
    }

    public async Task RecordBaseAsync(BaseReady ready, CancellationToken cancellation)
    {
        await inner.RecordBaseAsync(ready, cancellation);
        display.Base(ready);
    }

    public async Task RecordStepAsync(StepReport report, LearnerBatch? batch, CancellationToken cancellation)
    {
        var known = report.Step <= inner.LastRecordedStep;
        await inner.RecordStepAsync(report, batch, cancellation);
        if (!known) display.Step(report, batch);
    }
}
