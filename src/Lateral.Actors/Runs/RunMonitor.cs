using System.Collections.Immutable;
using Lateral.Core.Runs;

namespace Lateral.Actors.Runs;

/// <summary>
/// What the parts of a run last said of themselves; display and diagnosis only, never an ordering decision. A part that
/// fails <see cref="MaxFailures"/> times without progress in between fails the run, resumably. Progress is a step; for the
/// learner only a checkpoint, because it could train the steps after the last one again and again. Samplers and the learner's
/// ranks are given up one by one by their keepers, and only the last sampler fails the run.
/// </summary>
internal sealed class RunMonitor
{
    public const int MaxFailures = 5;

    private const int MaxNotices = 1000;
    private const double SilentSeconds = 60;

    private readonly TimeProvider _time;
    private readonly JournalGauge _journal;
    private readonly Dictionary<string, Heard> _parts = new(StringComparer.Ordinal);
    private readonly Dictionary<string, (string Reason, int Count, long Since)> _failures = new(StringComparer.Ordinal);
    private readonly Dictionary<string, RunFailure> _givenUp = new(StringComparer.Ordinal);
    private ImmutableArray<string> _notices = [];
    private LedgerStatus _ledger;
    private RunFailure? _failed;

    public RunMonitor(RunSettings settings, JournalGauge journal, TimeProvider time)
    {
        (_time, _journal, _ledger) = (time, journal, LedgerStatus.Of(new RunLedger(settings.Ledger)));
        foreach (var part in Expected(settings)) Note(new PartStatus(part, Phase.Starting));
    }

    public void Note(PartStatus said)
    {
        if (said.Phase is not Phase.Restarting) _givenUp.Remove(said.Part);
        var now = _time.GetTimestamp();
        var since = _parts.TryGetValue(said.Part, out var before) && before.Said.IsSamePhase(said) ? before.Since : now;
        _parts[said.Part] = new Heard(said, since, now);
    }

    public void Note(LedgerStatus ledger)
    {
        if (ledger.Version > _ledger.Version) Forget(part => part != Parts.Learner);
        if (ledger.CheckpointStep > (_ledger.CheckpointStep ?? -1)) Forget(part => part == Parts.Learner);
        _ledger = ledger;
        Note(ledger.ToPart());
    }

    public void Note(RunProtocol.PartFailed failed)
    {
        var before = _failures.GetValueOrDefault(failed.Part, (failed.Failure.Reason, Count: 0, Since: _time.GetTimestamp()));
        _failures[failed.Part] = (failed.Failure.Reason, before.Count + 1, before.Since);
        Note(new PartStatus(failed.Part, Phase.Restarting));
        if (before.Count + 1 >= MaxFailures && !Parts.IsOneOfMany(failed.Part))
            _failed = failed.Failure with { Reason = $"{failed.Part} failed {before.Count + 1} times without progress: {failed.Failure.Reason}" };
    }

    public void Note(RunProtocol.PartGivenUp part)
    {
        var cause = _failures.TryGetValue(part.Part, out var row) ? row.Reason : "it ended without a word";
        var reason = $"{part.Part} failed {part.Failures} times within {part.Minutes:0} minutes and is given up: {cause}";
        Note(new PartStatus(part.Part, Phase.Restarting));
        _givenUp[part.Part] = new RunFailure(reason, false);
        Note(new RunProtocol.Notice(reason));
    }

    public void Note(RunProtocol.Notice notice) => _notices = _notices.Length < MaxNotices ? _notices.Add(notice.Text) : _notices;

    public RunStatus Status()
    {
        Note(_journal.Read());
        ImmutableArray<PartStatus> parts = [.. _parts.OrderBy(pair => pair.Key, StringComparer.Ordinal).Select(pair => Timed(pair.Value))];
        return new RunStatus(_ledger, _failed ?? WithoutSamplers(parts), parts) { Notices = _notices };
    }

    /// <summary>Samplers that may still come up, or come back, are waited for as long as anything is.</summary>
    private RunFailure? WithoutSamplers(ImmutableArray<PartStatus> parts) =>
        !_givenUp.Keys.Any(Parts.IsSampler) || parts.Any(part => Parts.IsSampler(part.Part) && !_givenUp.ContainsKey(part.Part) && part.SilentSeconds < SilentSeconds)
            ? null
            : new RunFailure($"no sampler is left: {string.Join("; ", _givenUp.Values.Select(failure => failure.Reason))}", false);

    /// <summary>Parts that every run has: one that never says anything is a finding.</summary>
    private static IEnumerable<string> Expected(RunSettings settings) =>
    [
        Parts.Ledger, Parts.Learner, Parts.Dispatcher,
        .. settings.Topology.SamplerDevices.Select(device => Parts.Sampler(SamplerName(settings, device))),
        .. settings.Pools.Select(pool => Parts.RewardPool(pool.Name)),
    ];

    public static string SamplerName(RunSettings settings, string device) => $"{settings.Topology.Host}/{device}";

    private PartStatus Timed(Heard heard)
    {
        var status = heard.Said with { Seconds = Elapsed(heard.Since), SilentSeconds = Elapsed(heard.At) };
        return _failures.TryGetValue(status.Part, out var row) ? status with { Fault = new PartFault(row.Reason, row.Count, Elapsed(row.Since)) } : status;
    }

    private void Forget(Func<string, bool> which)
    {
        foreach (var part in _failures.Keys.Where(which).ToArray()) _failures.Remove(part);
    }

    private double Elapsed(long since) => _time.GetElapsedTime(since).TotalSeconds;

    /// <param name="Since">when its phase began</param>
    /// <param name="At">when it last spoke</param>
    private readonly record struct Heard(PartStatus Said, long Since, long At);
}
