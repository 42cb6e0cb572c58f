namespace Lateral.Core.Runs;

/// <summary>Why a batch is not complete: its groups wait for a reward pool, or for a sampler.</summary>
public static partial class RunDiagnosis
{
    private static readonly DiagnosisAdvice SeeLog = new("see logs/lateral.log in the run directory");

    private static Diagnosis Batch(RunStatus status, PartStatus learner)
    {
        var ledger = status.Ledger;
        var text = Doing(learner) + (ledger.InBatch > 0 ? " (formed, being handed over)"
            : ledger.Ready < ledger.GroupsPerStep ? $" ({ledger.Ready} of {ledger.GroupsPerStep} groups)"
            : $" ({ledger.Ready} of {ledger.GroupsPerStep} groups, and older ones that must not be passed over)");
        var culprit = Missing(status);
        if (learner.Seconds < Notable && culprit.Verdict == Verdict.Bottleneck) culprit = culprit with { Verdict = Verdict.Working };
        return culprit.Behind(Parts.Learner, text);
    }

    /// <summary>The time is lost where the oldest open work lies.</summary>
    private static Diagnosis Missing(RunStatus status)
    {
        if (status.Ledger.InBatch > 0) return Diagnosis.Of(Verdict.Working, Parts.Ledger, "handing the batch over");
        var pool = status.Parts.Where(part => Parts.IsRewardPool(part.Part) && part.Figure(Figures.InFlight) > 0).MaxBy(PoolAge);
        var dispatcher = status.Part(Parts.Dispatcher);
        var sampling = SamplingAge(dispatcher);
        if (pool is not null && (sampling is null || pool.Fault is not null || PoolAge(pool) >= sampling)) return Pool(pool);
        if (sampling is not null) return Sampling(status, dispatcher!);
        if (BrokenSampler(status) is { } broken) return broken;
        return Diagnosis.Of(
            Verdict.Bottleneck, "groups", $"{status.Ledger.Running} open, none of them at a sampler or a reward pool: between two stages, or recovering from the journal", SeeLog);
    }

    private static double PoolAge(PartStatus pool) => Math.Max(pool.Figure(Figures.OldestSeconds), pool.Fault?.Seconds ?? 0);

    /// <summary>Null when no group waits for a sampler. A queue that nobody takes from is as old as it is left alone.</summary>
    private static double? SamplingAge(PartStatus? dispatcher) => dispatcher switch
    {
        null => null,
        _ when dispatcher.Figure(Figures.Leased) > 0 => dispatcher.Figure(Figures.OldestLeaseSeconds),
        _ when dispatcher.Figure(Figures.Queued) > 0 => dispatcher.Seconds,
        _ => null,
    };

    private static Diagnosis Pool(PartStatus pool)
    {
        var (inFlight, workers, timeout) = (pool.Figure(Figures.InFlight), pool.Figure(Figures.Workers), pool.Figure(Figures.TimeoutSeconds));
        var key = $"reward.pools.{Parts.PoolName(pool.Part)}";
        var text = $"{Number(inFlight)} in flight, oldest {Seconds(pool.Figure(Figures.OldestSeconds))}, {Plural(workers, "worker")}";
        var faster = inFlight > workers
            ? new DiagnosisAdvice($"raise {key}.workers ({Number(workers)} now)", $"{key}.workers")
            : new DiagnosisAdvice("make its verifier faster: no call waits for a worker");
        if (pool.Fault is not { } fault)
        {
            return Diagnosis.Of(Verdict.Bottleneck, pool.Part, text, faster,
                new DiagnosisAdvice($"cut slow calls off sooner with {key}.timeout ({Number(timeout)} s now)", $"{key}.timeout"));
        }

        text += $", {Plural(fault.Count, "fault")} in a row and retried ({fault.Reason})";
        return fault.Reason.StartsWith(Rewards.RewardPool.TimeoutReason, StringComparison.Ordinal)
            ? Diagnosis.Of(Verdict.Stuck, pool.Part, text, new DiagnosisAdvice($"raise {key}.timeout ({Number(timeout)} s now)", $"{key}.timeout"), faster)
            : Diagnosis.Of(Verdict.Stuck, pool.Part, text, new DiagnosisAdvice($"mend what {key} calls: its faults are not the model's"));
    }

    private static Diagnosis Sampling(RunStatus status, PartStatus dispatcher)
    {
        var (queued, leased, oldest) = (dispatcher.Figure(Figures.Queued), dispatcher.Figure(Figures.Leased), dispatcher.Figure(Figures.OldestLeaseSeconds));
        var held = leased > 0 ? $", {Number(leased)} at samplers, oldest {Seconds(oldest)}" : ", none at a sampler";
        return Sampler(status, dispatcher).Behind(Parts.Dispatcher, $"{Plural(queued, "group")} queued{held}");
    }

    private static Diagnosis Sampler(RunStatus status, PartStatus dispatcher)
    {
        var samplers = Samplers(status);
        if (samplers.Length == 0) return Diagnosis.Of(Verdict.Stuck, "sampler", "there is none", new DiagnosisAdvice("name one in topology.roles.sampler.devices", SamplerDevices));
        if (BrokenSampler(status) is { } broken) return broken;
        if (samplers.FirstOrDefault(sampler => sampler.Waits?.On == Parts.PolicyCache) is { } waiting && samplers.All(sampler => sampler.Phase == Phase.Waiting))
            return Policy(status, waiting);
        var (oldest, deadline) = (dispatcher.Figure(Figures.OldestLeaseSeconds), dispatcher.Figure(Figures.DeadlineSeconds));
        var busiest = samplers.MaxBy(sampler => sampler.Figure(Figures.Active))!;
        var (active, slots) = (busiest.Figure(Figures.Active), busiest.Figure(Figures.Slots));
        var again = dispatcher.Figure(Figures.Reissued) is > 0 and var reissued ? $", {Plural(reissued, "group")} given to another after rollout.deadline" : "";
        var text = active > 0 ? $"sampling {Plural(active, "rollout")} in {Plural(slots, "slot")}{again}" : $"{Doing(busiest)}{again}";
        DiagnosisAdvice[] advice = deadline > 0 && (again.Length > 0 || oldest > deadline / 2)
            ? [new($"raise rollout.deadline ({Seconds(deadline)} now) if groups take that long", "rollout.deadline"), new("add one to topology.roles.sampler.devices", SamplerDevices)]
            : [active >= slots ? new($"raise topology.roles.sampler.slots ({Number(slots)} now)", SamplerSlots) : new("add one to topology.roles.sampler.devices", SamplerDevices),
                new("denoise in fewer rollout.steps", "rollout.steps")];
        return Diagnosis.Of(Verdict.Bottleneck, busiest.Part, text, advice);
    }

    private static Diagnosis Policy(RunStatus status, PartStatus sampler)
    {
        var cache = status.Part(Parts.PolicyCache);
        var culprit = cache is { Phase: Phase.Fetching }
            ? Diagnosis.Of(Verdict.Bottleneck, Parts.PolicyCache, Doing(cache), new DiagnosisAdvice("see whether the learner's node and the run directory can be reached"))
            : Diagnosis.Of(Verdict.Bottleneck, Parts.PolicyCache, "not fetching it", SeeLog);
        return culprit.Behind(sampler.Part, Doing(sampler));
    }
}
