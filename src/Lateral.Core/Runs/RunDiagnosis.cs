using System.Globalization;

namespace Lateral.Core.Runs;

/// <summary>
/// Answers "why is nothing happening?" from what the parts say of themselves and what is seen from outside. Pure: the same
/// status gives the same answer. Outer causes first, because a full disk or a dead process explains everything inside.
/// </summary>
public static partial class RunDiagnosis
{
    /// <summary>Seconds after which a wait, or silence from a part that speaks every second, is worth blaming.</summary>
    public const double Notable = 10;

    /// <summary>A journal on a local disk writes in milliseconds.</summary>
    private const double SlowWrite = 3;

    /// <summary>Too little for a checkpoint or a page of the journal.</summary>
    private const long NoSpace = 1L << 20;

    private static readonly DiagnosisAdvice Resume = new("go on with lateral resume");

    /// <param name="status">null when the process has not said anything yet</param>
    public static Diagnosis Of(RunStatus? status, Surroundings seen)
    {
        if (!seen.Running) return Ended(status, seen);
        if (seen.FreeBytes < NoSpace) return Waiting(status, FullDisk(seen));
        if (seen.SilentSeconds >= Notable) return Waiting(status, Hung(seen));
        if (status is null) return Diagnosis.Of(Verdict.Working, "run", "starting: loading libtorch and forming the cluster");
        if (status.Failed is { } failed) return Failed(failed.Reason, seen).Behind("run", Progress(status));
        return Journal(status) ?? Ledger(status) ?? Learner(status);
    }

    private static Diagnosis Ended(RunStatus? status, Surroundings seen)
    {
        var run = status is null ? "ended before its first step" : Progress(status);
        return seen.End switch
        {
            { Kind: RunEndKind.Finished } => Diagnosis.Of(Verdict.Ended, "run", "finished" + (status is null ? "" : status.Ledger.Steps == 0 ? " its supervised training" : $" its {status.Ledger.Steps} steps"),
                new DiagnosisAdvice("go on for longer with a higher run.steps", "run.steps")),
            { Kind: RunEndKind.Interrupted } => Diagnosis.Of(Verdict.Ended, "run", $"{run}: stopped on request, and saved", Resume),
            { Kind: RunEndKind.Abandoned } => Diagnosis.Of(Verdict.Ended, "run", $"{run}: stopped at once on request; what was journaled is safe", Resume),
            { Kind: RunEndKind.Failed, Reason: var reason } => Failed(reason ?? "no reason given", seen).Behind("run", run) with { Verdict = Verdict.Ended },
            _ when seen.FreeBytes < NoSpace => FullDisk(seen).Behind("process", "is gone").Behind("run", run) with { Verdict = Verdict.Ended },
            _ => Killed(status, seen).Behind("run", run),
        };
    }

    private static Diagnosis Killed(RunStatus? status, Surroundings seen)
    {
        var doing = status?.Part(Parts.Learner) is { } learner ? $"; its learner was {Doing(learner)}" : "";
        return Diagnosis.Of(
            Verdict.Ended, "process", $"{seen.Process} is gone without a word: killed, out of memory, or a power cut{doing}",
            Resume, new DiagnosisAdvice("if the kernel ended it for want of memory (dmesg says so), lower topology.roles.sampler.slots", "topology.roles.sampler.slots"));
    }

    private static Diagnosis Failed(string reason, Surroundings seen)
    {
        if (!SaysDiskFull(reason)) return Diagnosis.Of(Verdict.Stuck, "failure", reason, new DiagnosisAdvice("remove the cause, then go on with lateral resume"));
        return seen.FreeBytes < NoSpace
            ? FullDisk(seen).Behind("failure", reason)
            : Diagnosis.Of(Verdict.Stuck, "disk", $"was full: {reason}; {Space(seen.FreeBytes)} free now", Resume);
    }

    private static Diagnosis FullDisk(Surroundings seen) => Diagnosis.Of(
        Verdict.Stuck, "disk", $"full: {Space(seen.FreeBytes)} free where the run directory lies",
        new DiagnosisAdvice("free some space, then go on with lateral resume"),
        new DiagnosisAdvice("keep fewer checkpoints with checkpoint.keep-last", "checkpoint.keep-last"));

    private static Diagnosis Hung(Surroundings seen) => seen.Suspended
        ? Diagnosis.Of(Verdict.Stuck, "process", $"{seen.Process} is suspended (SIGSTOP or a debugger) and has said nothing for {Seconds(seen.SilentSeconds)}",
            new DiagnosisAdvice($"let it go on with kill -CONT {seen.Process}"))
        : Diagnosis.Of(Verdict.Stuck, "process", $"{seen.Process} has said nothing for {Seconds(seen.SilentSeconds)} and still holds the run",
            new DiagnosisAdvice($"see logs/lateral.log in the run directory, then end it (kill {seen.Process}) and go on with lateral resume"));

    /// <summary>The learner's wait in front of a culprit that is not one of the run's parts.</summary>
    private static Diagnosis Waiting(RunStatus? status, Diagnosis culprit) =>
        status?.Part(Parts.Learner) is { } learner ? culprit.Behind(Parts.Learner, $"was last {Doing(learner)}") : culprit;

    private static string Progress(RunStatus status) => $"at step {status.Ledger.Version} of {status.Ledger.Steps}";

    /// <summary>In the words of the C library, SQLite, .NET (which reserves a file's space first) and Windows.</summary>
    private static bool SaysDiskFull(string reason) =>
        new[] { "No space left on device", "disk is full", "disk was full", "not enough space on the disk" }.Any(words => reason.Contains(words, StringComparison.Ordinal));

    /// <summary>41 s, 3 min 20 s, 2 h 5 min.</summary>
    private static string Seconds(double seconds)
    {
        var whole = (long)Math.Round(seconds);
        return whole switch
        {
            < 100 => $"{whole} s",
            < 3600 => $"{whole / 60} min {whole % 60} s",
            _ => $"{whole / 3600} h {whole % 3600 / 60} min",
        };
    }

    private static string Space(long bytes) => $"{bytes >> 20} MiB";

    private static string Number(double value) => value.ToString("0.##", CultureInfo.InvariantCulture);

    private static string Plural(double count, string one) => $"{Number(count)} {one}{(count == 1 ? "" : "s")}";
}
