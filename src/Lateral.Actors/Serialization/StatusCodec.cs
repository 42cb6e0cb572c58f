using System.Collections.Frozen;
using Lateral.Actors.Serialization.Proto;
using Lateral.Core.Runs;
using static Lateral.Actors.Runs.RunProtocol;
using static Lateral.Actors.Serialization.Untrusted;

namespace Lateral.Actors.Serialization;

/// <summary>What parts say of themselves to the monitor, and what it and the ledger are asked from outside.</summary>
internal static class StatusCodec
{
    private static readonly FrozenDictionary<string, Phase> Phases = Enum.GetValues<Phase>().ToFrozenDictionary(phase => phase.ToString(), StringComparer.Ordinal);

    public static IEnumerable<MessageForm> Forms { get; } =
    [
        MessageForm.Of<PartStatus, PartStatusProto>("part-status", ToProto, FromProto),
        MessageForm.Of<LedgerStatus, LedgerStatusProto>("ledger-status", ToProto, FromProto),
        MessageForm.Of<PartFailed, PartFailedProto>(
            "part-failed", m => new() { Part = m.Part, Failure = ToProto(m.Failure) }, p => new(p.Part, FromProto(Required(p.Failure, "failure")))),
        MessageForm.Of<PartGivenUp, PartGivenUpProto>(
            "part-given-up", m => new() { Part = m.Part, Failures = m.Failures, Minutes = m.Minutes }, p => new(p.Part, p.Failures, p.Minutes)),
        MessageForm.Of<PoolReport, PoolReportProto>("pool-report", ToProto, p => new(p.Pool, p.Node, p.HasTrouble ? p.Trouble : null) { HasAnswered = p.HasAnswered }),
        MessageForm.Of<Notice, NoticeProto>("notice", m => new() { Text = m.Text }, p => new(p.Text)),
        MessageForm.Of<GetRunStatus, GetRunStatusProto>("get-run-status", _ => new(), _ => new()),
        MessageForm.Of<RunStatus, RunStatusProto>(
            "run-status",
            m => new() { Ledger = ToProto(m.Ledger), Failed = m.Failed is null ? null : ToProto(m.Failed), Parts = { m.Parts.Select(ToProto) }, Notices = { m.Notices } },
            p => new(FromProto(Required(p.Ledger, "ledger")), p.Failed is null ? null : FromProto(p.Failed), [.. p.Parts.Select(FromProto)]) { Notices = [.. p.Notices] }),
        MessageForm.Of<Resume, ResumeProto>("resume", _ => new(), _ => new()),
        MessageForm.Of<Resumed, ResumedProto>("resumed", _ => new(), _ => new()),
        MessageForm.Of<Drain, DrainProto>("drain", _ => new(), _ => new()),
        MessageForm.Of<Drained, DrainedProto>("drained", m => new() { Version = m.Version }, p => new(p.Version)),
    ];

    private static PoolReportProto ToProto(PoolReport m)
    {
        var proto = new PoolReportProto { Pool = m.Pool, Node = m.Node, HasAnswered = m.HasAnswered };
        if (m.Trouble is { } trouble) proto.Trouble = trouble;
        return proto;
    }

    private static RunFailureProto ToProto(RunFailure failure) => new() { Reason = failure.Reason, Environment = failure.Environment };

    private static RunFailure FromProto(RunFailureProto p) => new(p.Reason, p.Environment);

    private static PartStatusProto ToProto(PartStatus status)
    {
        var proto = new PartStatusProto
        {
            Part = status.Part,
            Phase = status.Phase.ToString(),
            Waits = status.Waits is { } waits ? new WaitsForProto { On = waits.On, What = waits.What } : null,
            Seconds = status.Seconds,
            SilentSeconds = status.SilentSeconds,
            Fault = status.Fault is { } fault ? new PartFaultProto { Reason = fault.Reason, Count = fault.Count, Seconds = fault.Seconds } : null,
        };
        if (status.Subject is { } subject) proto.Subject = subject;
        RunEventCodec.Fill(proto.Figures, status.Figures);
        return proto;
    }

    private static PartStatus FromProto(PartStatusProto p)
    {
        Expect(Phases.TryGetValue(p.Phase, out var phase), $"a part is in phase '{p.Phase}'");
        return new PartStatus(p.Part, phase, p.HasSubject ? p.Subject : null, p.Waits is { } waits ? new WaitsFor(waits.On, waits.What) : null)
        {
            Seconds = p.Seconds,
            SilentSeconds = p.SilentSeconds,
            Figures = RunEventCodec.Read(p.Figures),
            Fault = p.Fault is { } fault ? new PartFault(fault.Reason, fault.Count, fault.Seconds) : null,
        };
    }

    private static LedgerStatusProto ToProto(LedgerStatus m)
    {
        var proto = new LedgerStatusProto
        {
            Version = m.Version,
            Steps = m.Steps,
            Finished = m.Finished,
            Draining = m.Draining,
            Issued = m.Issued,
            Trained = m.Trained,
            Filtered = m.Filtered,
            Running = m.Running,
            Waiting = m.Waiting,
            Ready = m.Ready,
            InBatch = m.InBatch,
            GroupsPerStep = m.GroupsPerStep,
            MaxStaleness = m.MaxStaleness,
        };
        if (m.Paused is { } reason) proto.Paused = reason;
        if (m.PausedFor is { } pool) proto.PausedFor = pool;
        if (m.CheckpointStep is { } step) proto.CheckpointStep = step;
        return proto;
    }

    private static LedgerStatus FromProto(LedgerStatusProto p) => new(
        p.Version, p.Steps, p.Finished, p.HasPaused ? p.Paused : null, p.Draining, p.Issued, p.Trained, p.Filtered, p.Running, p.Waiting, p.Ready, p.InBatch,
        p.HasCheckpointStep ? p.CheckpointStep : null, p.GroupsPerStep, p.MaxStaleness)
    { PausedFor = p.HasPausedFor ? p.PausedFor : null };
}
