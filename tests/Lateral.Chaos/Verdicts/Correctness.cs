using System.Globalization;
using System.Security.Cryptography;
using Lateral.Actors;
using Lateral.Chaos.Deployment;
using Lateral.Chaos.Faults;
using Lateral.Core.Rewards;
using Lateral.Core.Runs;
using Lateral.Node.Composition;

namespace Lateral.Chaos.Verdicts;

/// <summary>What the journal and the files prove. Nothing here depends on how fast the machine is.</summary>
internal static class Correctness
{
    private static readonly string[] Compared = ["model.safetensors", "optimizer.safetensors"];

    public static IEnumerable<Check> OfJournal(RunSettings settings, string coordinatorLog)
    {
        var audit = JournalAudit.Run(settings);
        var ledger = audit.Ledger;
        var (size, doubled) = (settings.Rollout.GroupSize, audit.Violations.Count(violation => violation.Contains("twice", StringComparison.Ordinal) || violation.Contains(" and in step ", StringComparison.Ordinal)));
        var flying = ledger.Running.Count + ledger.Waiting.Count + audit.Balance.InBatch;
        var lost = ledger.Issued - ledger.Trained - ledger.Filtered - flying;
        yield return new Check("groups", Text($"{ledger.Issued} issued = {ledger.Trained} trained + {ledger.Filtered} filtered + {flying} in flight, of {size} rollouts"), "", true, Proof: false);
        yield return Zero("lost", lost);
        yield return Zero("doubled", doubled);
        yield return Zero("other violations of the ledger", audit.Violations.Length - doubled) with { Value = audit.Violations.Length == doubled ? "0" : string.Join("; ", audit.Violations.Take(5)) };

        var events = RunJournal.Events(settings);
        var (accepted, epoch) = (0, 0);
        foreach (var change in events)
        {
            if (change is EpochGranted granted) epoch = granted.Epoch;
            if (change is StepTrained trained && trained.Epoch < epoch) accepted++;
        }

        var attempted = File.ReadLines(coordinatorLog).Count(line => line.Contains("is refused as Stale", StringComparison.Ordinal));
        yield return new Check("commits of a lower epoch", Text($"{attempted} attempted, {accepted} accepted, {epoch} epochs"), "0 accepted of at least 1", accepted == 0 && attempted > 0, Proof: true);
        var moved = events.OfType<StepTrained>().Count(trained => trained.Report.Policy.Hash != trained.Report.Policy.ParentHash);
        yield return new Check("steps that changed the weights", Text($"{moved} of {ledger.Version}"), "at least half", 2 * moved >= ledger.Version, Proof: true);
        var skipped = events.OfType<StepTrained>().Where(trained => trained.Report.Skipped).Select(trained => trained.Step).ToList();
        var poisoned = SoakConfiguration.PoisonedSteps((int)settings.Seed).TakeWhile(step => step <= ledger.Version).ToList();
        yield return new Check("steps with NaN gradients", Text($"{skipped.Count} skipped of {poisoned.Count}"), "all skipped, no other", skipped.SequenceEqual(poisoned), Proof: true);
        yield return Zero("replays that diverged", audit.Balance.Divergences);
    }

    /// <summary>Every reward of a group that met an infrastructure fault is what its verifier says of that rollout.</summary>
    public static async Task<Check> OfRewardsAsync(RunSettings settings)
    {
        var task = TaskComposition.Of(settings);
        var (groups, faults, wrong) = (0, 0, 0);
        var issued = RunJournal.Events(settings).OfType<GroupIssued>().Count();
        for (var ordinal = 0L; ordinal < issued; ordinal++)
        {
            var group = RunJournal.Group(settings, ordinal);
            if (group.InfraFaults == 0) continue;
            (groups, faults) = (groups + 1, faults + group.InfraFaults);
            foreach (var ((pool, sibling), recorded) in group.Rewards)
            {
                var trajectory = group.Trajectories[sibling];
                var outcome = await task.Rewards[pool].ScoreAsync(new RewardRequest(trajectory.Id, task.Prompts.Train(ordinal), trajectory.Text), CancellationToken.None);
                if (outcome is not RewardOutcome.Scored scored || scored.Value != recorded.Value || recorded.Fault is not null) wrong++;
            }
        }

        return Zero("infrastructure faults scored", wrong) with { Value = Text($"{wrong} ({faults} faults in {groups} groups, each reward computed again)") };
    }

    /// <summary>Weights and optimizer of the last step against those of the run to which nothing happened.</summary>
    public static Check OfWeights(string soak, string reference, int step)
    {
        var (ours, theirs) = (HashesOf(soak), HashesOf(reference));
        return new Check($"weights of step {step}", ours.SequenceEqual(theirs) ? $"{ours[0][..16]}, optimizer {ours[1][..16]}" : $"{ours[0][..16]} is not {theirs[0][..16]}", "those of the undisturbed run", ours.SequenceEqual(theirs), Proof: true);

        static string[] HashesOf(string folder) => [.. Compared.Select(name => Convert.ToHexStringLower(SHA256.HashData(File.ReadAllBytes(Path.Combine(folder, name)))))];
    }

    public static IEnumerable<Check> OfFaults(IReadOnlyList<Injected> faults)
    {
        var done = faults.Where(fault => fault.Skipped is null).ToList();
        yield return new Check("faults", Text($"{done.Count} injected, {faults.Count - done.Count} skipped"), ">= 1", done.Count > 0, Proof: true);
        yield return Zero("faults after which work did not resume", done.Count(fault => fault.Resumed is null));
    }

    public static Check Zero(string name, long count) => new(name, Text($"{count}"), "0", count == 0, Proof: true);

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
