using System.Collections.Immutable;
using Lateral.Core.Rollouts;
using Lateral.Core.Runs;

namespace Lateral.Actors.Runs;

/// <summary>
/// What the parts of a run last said of themselves; display and diagnosis only, never an ordering decision. A part that
/// fails <see cref="MaxFailures"/> times without progress in between fails the run, resumably. Progress is a step; for the
/// learner only a checkpoint, because it could train the steps after the last one again and again.
/// </summary>
internal sealed class RunMonitor(TimeProvider time)
{
    public const int MaxFailures = 5;

    public const string Learner = "learner";

    private readonly Dictionary<string, (string Phase, string? WaitsFor, long Since)> _phases = new(StringComparer.Ordinal);
    private readonly Dictionary<string, SamplerStatistics> _latest = new(StringComparer.Ordinal);
    private readonly Dictionary<string, int> _failures = new(StringComparer.Ordinal);
    private RunFailure? _failed;

    /// <summary>Sum over samplers since the run's start, restarts included.</summary>
    public SamplerStatistics Samplers { get; private set; } = SamplerStatistics.Zero;

    public bool Draining { get; set; }

    public void Note(RunProtocol.SamplerReport report)
    {
        var last = _latest.GetValueOrDefault(report.Sampler, SamplerStatistics.Zero);
        // A restarted engine counts from zero again.
        Samplers += report.Statistics.Forwards < last.Forwards ? report.Statistics : report.Statistics - last;
        _latest[report.Sampler] = report.Statistics;
        Note($"sampler {report.Sampler}", report.Phase, report.WaitsFor);
    }

    public void Note(RunProtocol.LearnerReport report) => Note(Learner, report.Phase, report.WaitsFor);

    public void Note(RunProtocol.PartFailed failed)
    {
        var count = _failures[failed.Part] = _failures.GetValueOrDefault(failed.Part) + 1;
        Note(failed.Part, "restarting", failed.Failure.Reason);
        if (count >= MaxFailures) _failed = failed.Failure with { Reason = $"{failed.Part} failed {count} times without progress: {failed.Failure.Reason}" };
    }

    public void Stepped()
    {
        foreach (var part in _failures.Keys.Where(part => part != Learner).ToArray()) _failures.Remove(part);
    }

    public void Checkpointed() => _failures.Remove(Learner);

    public RunStatus Status(RunLedger ledger)
    {
        var ledgerPhase = new PhaseStatus("ledger", Draining ? "draining" : ledger.Finished ? "finished" : "running", 0, ledger.Pending is null && !ledger.Finished
            ? $"batch {ledger.Version + 1} ({ledger.Waiting.Count}/{ledger.Settings.GroupsPerStep} groups)"
            : null);
        return new RunStatus(
            ledger.Version, ledger.Settings.Steps, ledger.Finished && ledger.LastCheckpoint?.Step == ledger.Version, ledger.PauseReason, _failed,
            ledger.Issued, ledger.Trained, ledger.Filtered, ledger.Running.Count, ledger.Waiting.Count, ledger.Pending?.Groups.Length ?? 0,
            ledger.LastCheckpoint?.Step,
            [ledgerPhase, .. _phases.OrderBy(pair => pair.Key, StringComparer.Ordinal)
                .Select(pair => new PhaseStatus(pair.Key, pair.Value.Phase, time.GetElapsedTime(pair.Value.Since).TotalSeconds, pair.Value.WaitsFor))]);
    }

    private void Note(string part, string phase, string? waitsFor)
    {
        var same = _phases.TryGetValue(part, out var before) && before.Phase == phase && before.WaitsFor == waitsFor;
        _phases[part] = (phase, waitsFor, same ? before.Since : time.GetTimestamp());
    }
}
