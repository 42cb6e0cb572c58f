namespace Lateral.Core.Runs;

/// <summary>What holds for any part: it is silent, it fails, it does something.</summary>
public static partial class RunDiagnosis
{
    private const string SamplerDevices = "topology.roles.sampler.devices";
    private const string SamplerSlots = "topology.roles.sampler.slots";

    private static PartStatus[] Samplers(RunStatus status) => [.. status.Parts.Where(part => Parts.IsSampler(part.Part))];

    /// <summary>A sampler that fails, is silent, never came up, or holds rollouts without computing. With a twin that works it is a bottleneck only.</summary>
    private static Diagnosis? BrokenSampler(RunStatus status)
    {
        var samplers = Samplers(status);
        if (samplers.FirstOrDefault(IsBroken) is not { } broken) return null;
        var diagnosis = broken switch
        {
            { Fault: { } fault } => Broken(broken, fault),
            _ when broken.Figure(Figures.StalledSeconds) >= Notable => Diagnosis.Of(
                Verdict.Stuck, broken.Part, $"holds {Plural(broken.Figure(Figures.Active), "rollout")} and has computed nothing for {Seconds(broken.Figure(Figures.StalledSeconds))}",
                new DiagnosisAdvice("see whether its device hangs"), new DiagnosisAdvice($"leave it out of {SamplerDevices}", SamplerDevices)),
            _ => Silent(broken),
        };
        return samplers.All(IsBroken) ? diagnosis : diagnosis with { Verdict = Verdict.Bottleneck };
    }

    private static bool IsBroken(PartStatus sampler) =>
        sampler.SilentSeconds >= Notable || sampler.Figure(Figures.StalledSeconds) >= Notable || sampler is { Phase: Phase.Starting, Seconds: >= Notable }
        || (sampler.Fault is { } fault && (fault.Count > 1 || sampler.Phase != Phase.Sampling));

    private static Diagnosis Broken(PartStatus part, PartFault fault)
    {
        var text = $"failed {Plural(fault.Count, "time")} in {Seconds(fault.Seconds)} and is restarted each time: {fault.Reason}";
        if (SaysDiskFull(fault.Reason))
            return Diagnosis.Of(Verdict.Stuck, "disk", "full", new DiagnosisAdvice("free some space where the run directory lies")).Behind(part.Part, text);
        var memory = fault.Reason.Contains("out of memory", StringComparison.OrdinalIgnoreCase);
        return Diagnosis.Of(Verdict.Stuck, part.Part, text, (memory, Parts.IsSampler(part.Part)) switch
        {
            (true, true) => [new($"lower {SamplerSlots}", SamplerSlots)],
            (true, false) => [new("lower learner.micro-batch-tokens", "learner.micro-batch-tokens")],
            (false, true) => [new("mend its device"), new($"leave it out of {SamplerDevices}", SamplerDevices)],
            (false, false) => [new("remove the cause; logs/lateral.log in the run directory has the whole of it")],
        });
    }

    private static Diagnosis Silent(PartStatus part) => Diagnosis.Of(
        Verdict.Stuck, part.Part,
        part.Phase == Phase.Starting ? $"has not come up for {Seconds(part.Seconds)}" : $"has said nothing for {Seconds(part.SilentSeconds)}; it was {Doing(part)}",
        SeeLog);

    /// <summary>Example: <c>training step 12 for 41 s</c>, <c>waiting 41 s for batch 212</c>.</summary>
    private static string Doing(PartStatus part)
    {
        if (part.Waits is { } waits) return $"waiting {Seconds(part.Seconds)} for {waits.What}";
        var word = part.Phase switch
        {
            Phase.WarmingUp => "warming up",
            _ => part.Phase.ToString().ToLowerInvariant(),
        };
        var done = part.Figure(Figures.Of) is > 0 and var of ? $" ({Number(part.Figure(Figures.Done))} of {Number(of)})" : "";
        return $"{word}{(part.Subject is { } subject ? " " + subject : "")}{done} for {Seconds(part.Seconds)}";
    }
}
