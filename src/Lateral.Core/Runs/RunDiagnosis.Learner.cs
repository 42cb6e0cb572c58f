namespace Lateral.Core.Runs;

/// <summary>The journal, the ledger and the learner: who stands between a formed batch and a new policy.</summary>
public static partial class RunDiagnosis
{
    private static Diagnosis? Journal(RunStatus status)
    {
        if (status.Part(Parts.Journal) is not { } journal) return null;
        if (journal.Fault is { } fault)
        {
            var failing = $"failing for {Seconds(fault.Seconds)} ({Plural(fault.Count, "write")}): {fault.Reason}";
            var culprit = SaysDiskFull(fault.Reason)
                ? Diagnosis.Of(Verdict.Stuck, "disk", "full", new DiagnosisAdvice("free some space where the run directory lies")).Behind(Parts.Journal, failing)
                : Diagnosis.Of(Verdict.Stuck, Parts.Journal, failing, new DiagnosisAdvice("see logs/lateral.log in the run directory"));
            return Waiting(status, culprit);
        }

        var oldest = journal.Figure(Figures.OldestSeconds);
        return oldest < SlowWrite ? null : Waiting(status, Diagnosis.Of(
            Verdict.Stuck, Parts.Journal, $"{Plural(journal.Figure(Figures.InFlight), "write")} in flight, oldest {Seconds(oldest)}",
            new DiagnosisAdvice("move run.dir to a local disk", "run.dir"), new DiagnosisAdvice("close whatever else holds journal.db open")));
    }

    /// <summary>Null where the ledger does its part.</summary>
    private static Diagnosis? Ledger(RunStatus status)
    {
        if (status.Part(Parts.Ledger) is not { } ledger) return null;
        return ledger switch
        {
            { Phase: Phase.Starting } => Diagnosis.Of(
                ledger.Seconds < Notable ? Verdict.Working : Verdict.Bottleneck, Parts.Ledger, $"recovering from its journal for {Seconds(ledger.Seconds)}"),
            { SilentSeconds: >= Notable } => Waiting(status, Silent(ledger)),
            // The pool that it waits for says more.
            { Phase: Phase.Paused } when status.Ledger.PausedFor is { } pool && status.Part(Parts.RewardPool(pool)) is { Fault: not null } broken => Waiting(status, Pool(broken).Behind(Parts.Ledger, $"issues nothing for {Seconds(ledger.Seconds)}")),
            { Phase: Phase.Paused } => Waiting(status, Diagnosis.Of(Verdict.Stuck, Parts.Ledger, $"paused for {Seconds(ledger.Seconds)}: {status.Ledger.Paused}")),
            { Phase: Phase.Finished } => Diagnosis.Of(Verdict.Working, "run", $"finished {(status.Ledger.Steps == 0 ? "its supervised training" : $"its {status.Ledger.Steps} steps")} and is about to end"),
            { Phase: Phase.Draining } => Draining(status, ledger),
            _ => null,
        };
    }

    private static Diagnosis Draining(RunStatus status, PartStatus ledger)
    {
        var text = $"stopping on request for {Seconds(ledger.Seconds)}: the running step is finished and saved first";
        var rest = status.Part(Parts.Learner) is { Phase: not Phase.Waiting } ? Learner(status) : Saving(status);
        return (rest with { Advice = [new DiagnosisAdvice("stop at once with a second Ctrl-C")] }).Behind(Parts.Ledger, text);
    }

    private static Diagnosis Saving(RunStatus status) =>
        status.Part(Parts.Recorder) is { Phase: Phase.Saving } recorder
            ? Diagnosis.Of(recorder.Seconds < Notable ? Verdict.Working : Verdict.Bottleneck, Parts.Recorder, Doing(recorder),
                new DiagnosisAdvice("move run.dir to a faster disk", "run.dir"))
            : Diagnosis.Of(Verdict.Working, Parts.Learner, "about to save the last step");

    private static Diagnosis Learner(RunStatus status)
    {
        if (status.Part(Parts.Learner) is not { } learner) return Diagnosis.Of(Verdict.Working, "run", Progress(status));
        return learner switch
        {
            { Fault: { } fault } when fault.Count > 1 || learner.Phase is Phase.Restarting or Phase.Starting or Phase.Restoring => Broken(learner, fault),
            { Phase: Phase.Starting } when learner.Seconds < Notable => Diagnosis.Of(Verdict.Working, Parts.Learner, Doing(learner)),
            { Phase: Phase.Starting } or { SilentSeconds: >= Notable } => Silent(learner),
            { Phase: Phase.Waiting } => Batch(status, learner),
            { Phase: Phase.Finished } => Saving(status).Behind("run", $"all {status.Ledger.Steps} steps are trained"),
            _ => Busy(status, learner),
        };
    }

    /// <summary>The learner works: either everybody does, or the samplers wait for its next version.</summary>
    private static Diagnosis Busy(RunStatus status, PartStatus learner)
    {
        if (BrokenSampler(status) is { } broken) return broken.Behind(Parts.Learner, Doing(learner));
        var samplers = Samplers(status);
        var idle = samplers.Length > 0 && samplers.All(sampler => sampler.Waits?.On is Parts.Dispatcher or Parts.Learner) ? samplers.MaxBy(sampler => sampler.Seconds) : null;
        var usual = learner.Figure(Figures.StepSeconds);
        var tooLong = learner.Phase == Phase.Training && usual > 0 && learner.Seconds > Math.Max(60, 5 * usual);
        var verdict = tooLong ? Verdict.Stuck : idle?.Seconds >= Notable && learner.Phase is not Phase.WarmingUp ? Verdict.Bottleneck : Verdict.Working;
        var rate = learner.Figure(Figures.TokensPerSecond) is > 0 and var tokens ? $", {Number(Math.Round(tokens))} tokens/s" : "";
        var before = usual > 0 ? $" (the last step took {Seconds(usual)}{rate})" : "";
        var culprit = Diagnosis.Of(verdict, Parts.Learner, Doing(learner) + before, tooLong ? [SeeLog] : Cheaper(learner.Phase, status, idle is not null));
        return idle is null ? culprit : culprit.Behind(idle.Part, $"waiting {Seconds(idle.Seconds)} for {idle.Waits!.What}{Budget(status, idle)}");
    }

    private static string Budget(RunStatus status, PartStatus sampler) => sampler.Waits!.On == Parts.Dispatcher
        ? $": all {(status.Ledger.MaxStaleness + 1) * status.Ledger.GroupsPerStep} groups that staleness.max-versions allows are issued"
        : "";

    private static DiagnosisAdvice[] Cheaper(Phase phase, RunStatus status, bool samplersIdle) => phase switch
    {
        Phase.WarmingUp => [new("this is normal before the first step; fewer warmup.steps end it sooner", "warmup.steps")],
        Phase.Restoring => [new("a lower checkpoint.every leaves fewer steps to train again", "checkpoint.every")],
        Phase.Evaluating => [new("evaluate less often with eval.every", "eval.every"), new("on fewer prompts with eval.prompts", "eval.prompts")],
        Phase.Training when samplersIdle =>
        [
            new($"raise staleness.max-versions ({status.Ledger.MaxStaleness} now)", "staleness.max-versions"),
            new("make a step cheaper with algorithm.step-subset", "algorithm.step-subset"),
        ],
        Phase.Fetching or Phase.Committing => [SeeLog],
        _ => [],
    };
}
