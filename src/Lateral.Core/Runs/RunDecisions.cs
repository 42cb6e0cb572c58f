using System.Collections.Immutable;

namespace Lateral.Core.Runs;

/// <summary>Why a command changed nothing.</summary>
public enum Refusal
{
    /// <summary>Already done: acknowledge again.</summary>
    Duplicate,

    /// <summary>Of a fenced epoch, or out of order: the sender is out of date.</summary>
    Stale,

    /// <summary>About something this run never issued.</summary>
    Unknown,
}

/// <summary>What a command leads to: events to persist, or a refusal.</summary>
public readonly record struct Decision(ImmutableArray<IRunEvent> Events, Refusal? Refused)
{
    public static Decision Of(params ReadOnlySpan<IRunEvent> events) => new([.. events], null);

    public static Decision Refuse(Refusal reason) => new([], reason);
}

/// <summary>Every ordering decision of a run, as pure functions from a ledger to events.</summary>
public static class RunDecisions
{
    /// <summary>Skipped steps in a row that lead to a roll back.</summary>
    public const int SkipsToRollBack = 3;

    /// <summary>A learner asks for the run: it gets a new epoch, which fences every earlier one.</summary>
    public static Decision GrantEpoch(this RunLedger ledger, string owner) => Decision.Of(new EpochGranted(ledger.Epoch + 1, owner));

    /// <summary>
    /// Groups to issue now: as many as keep accepted + running below (eta + version + 1) * B and within the run's steps.
    /// A filtered group leaves the count, except in deterministic mode, where its ordinal keeps its place as an empty group.
    /// </summary>
    public static ImmutableArray<GroupIssued> Admit(this RunLedger ledger)
    {
        if (ledger.Base is null || ledger.Pause is not null) return [];
        var settings = ledger.Settings;
        var budget = Math.Min(settings.MaxStaleness + ledger.Version + 1L, settings.Steps) * settings.GroupsPerStep;
        var counted = settings.Deterministic ? ledger.Issued : ledger.Issued - (ledger.Filtered - ledger.Undone);
        var issued = ImmutableArray.CreateBuilder<GroupIssued>();
        for (var ordinal = ledger.Issued; counted < budget; ordinal++, counted++)
        {
            issued.Add(new GroupIssued(ordinal, settings.Deterministic ? AssignedVersion(settings, ordinal) : ledger.Version));
        }

        return issued.ToImmutable();
    }

    /// <summary>Deterministic mode's fixed lag: the one version group <paramref name="ordinal"/> is sampled under.</summary>
    public static int AssignedVersion(LedgerSettings settings, long ordinal) =>
        (int)Math.Max(0, ordinal / settings.GroupsPerStep - settings.MaxStaleness);

    /// <summary>A person has seen why the run was paused, or a reward pool answers again.</summary>
    public static Decision Resume(this RunLedger ledger) => ledger.Pause is null ? Decision.Refuse(Refusal.Duplicate) : Decision.Of(new RunResumed());

    /// <summary>An entity says that its group is complete.</summary>
    public static Decision Complete(this RunLedger ledger, GroupCompleted completed) =>
        ledger.Running.ContainsKey(completed.Ordinal) ? Decision.Of(completed) : RefuseGroup(ledger, completed.Ordinal);

    /// <summary>An entity gives its group up, whole.</summary>
    public static Decision Filter(this RunLedger ledger, GroupFiltered filtered) =>
        ledger.Running.ContainsKey(filtered.Ordinal) ? Decision.Of(filtered) : RefuseGroup(ledger, filtered.Ordinal);

    /// <summary>Whether the group's story is over: trained or filtered.</summary>
    public static bool IsRetired(this RunLedger ledger, long ordinal) =>
        ordinal < ledger.Issued
        && !ledger.Running.ContainsKey(ordinal)
        && !ledger.Waiting.ContainsKey(ordinal)
        && ledger.Pending?.Groups.Any(group => group.Ordinal == ordinal) != true;

    /// <summary>The next batch, when the groups it must hold are there.</summary>
    public static BatchFormed? FormBatch(this RunLedger ledger)
    {
        if (ledger.Base is null || ledger.Pending is not null || ledger.Finished || ledger.Pause is { Pool: null }) return null;
        var chosen = ledger.Settings.Deterministic ? OrdinalBatch(ledger) : OldestFirstBatch(ledger);
        // Ordinal order inside the batch makes the sum over groups independent of arrival order.
        return chosen is null
            ? null
            : new BatchFormed(ledger.Version + 1, [.. chosen.OrderBy(group => group.Ordinal).Select(group => new BatchGroup(group.Ordinal, group.Hash))]);
    }

    /// <summary>The learner reports a trained step.</summary>
    public static Decision Train(this RunLedger ledger, StepTrained trained)
    {
        if (trained.Epoch != ledger.Epoch) return Decision.Refuse(Refusal.Stale);
        if (trained.Step <= ledger.Version) return Decision.Refuse(Refusal.Duplicate);
        return ledger.Pending?.Step == trained.Step ? Decision.Of(trained) : Decision.Refuse(Refusal.Unknown);
    }

    /// <summary>The learner reports a durable checkpoint.</summary>
    public static Decision Commit(this RunLedger ledger, int epoch, CheckpointCommitted committed)
    {
        if (epoch != ledger.Epoch) return Decision.Refuse(Refusal.Stale);
        if (committed.Checkpoint.Step <= Math.Max(ledger.LastCheckpoint?.Step ?? -1, ledger.UndoneThrough)) return Decision.Refuse(Refusal.Duplicate);
        return committed.Checkpoint.Step <= ledger.Version ? Decision.Of(committed) : Decision.Refuse(Refusal.Unknown);
    }

    /// <summary>A learner could not load the checkpoint it was assigned.</summary>
    public static Decision Lose(this RunLedger ledger, int epoch, CheckpointLost lost)
    {
        if (epoch != ledger.Epoch) return Decision.Refuse(Refusal.Stale);
        if (!ledger.Checkpoints.Contains(lost.Checkpoint)) return Decision.Refuse(Refusal.Duplicate);
        return ledger.Checkpoints.Count > 1 ? Decision.Of(lost) : Decision.Refuse(Refusal.Unknown);
    }

    /// <summary>
    /// What steps whose gradient is not finite lead to, or null: the third in a row takes the weights back to the last checkpoint
    /// before them, because weights that give such gradients are likely spoilt; another three pause the run for a person to see.
    /// </summary>
    public static IRunEvent? AnswerSkips(this RunLedger ledger)
    {
        if (ledger.SkippedInARow < SkipsToRollBack || ledger.Pause is not null || ledger.Pending is not null || ledger.Finished) return null;
        if (ledger.SkippedInARow >= 2 * SkipsToRollBack)
            return new RunPaused($"the gradient of {ledger.SkippedInARow} steps in a row was not finite, also after a roll back: lower algorithm.lr, or look at the rewards of these steps");
        if (ledger.RollBacks.Any(rolled => rolled.Key > ledger.Version - ledger.SkippedInARow + 1)) return null;
        var before = ledger.Version - ledger.SkippedInARow;
        // Skipped steps change no weights: where only checkpoints of theirs are left, the oldest is as good as the one before them.
        var to = ledger.Checkpoints.FindLast(checkpoint => checkpoint.Step <= before) ?? ledger.Checkpoints[0];
        return new RolledBack(ledger.Version + 1, to, $"the gradient of {ledger.SkippedInARow} steps in a row was not finite");
    }

    /// <summary>
    /// What a step that left the run's course leads to, once for each step; empty = nothing. A roll back that does not help within a
    /// window, or for which there is no checkpoint before the step, is a pause.
    /// </summary>
    public static ImmutableArray<IRunEvent> AnswerSpike(this RunLedger ledger)
    {
        var spikes = ledger.Settings.Spikes;
        if (ledger.Pause is not null || ledger.Pending is not null || ledger.Finished || ledger.Course.IsEmpty) return [];
        var step = ledger.Course[^1].Step;
        if (step != ledger.Version || step <= ledger.SpikeAnswered || Spikes.Find(ledger.Course, spikes) is not { } reason) return [];
        var seen = new SpikeSeen(step, reason);
        if (spikes.Answer == SpikeAnswer.Continue) return [seen];
        var again = ledger.LastRollBack > 0 && step - ledger.LastRollBack < spikes.Window;
        return spikes.Answer == SpikeAnswer.RollBack && !again && ledger.Checkpoints.FindLast(checkpoint => checkpoint.Step < step) is { } to
            ? [seen, new RolledBack(step + 1, to, reason)]
            : [seen, new RunPaused($"{reason}{(again ? ", also after a roll back" : "")}: look at the rewards and the rollouts of this step, or lower algorithm.lr")];
    }

    private static Decision RefuseGroup(RunLedger ledger, long ordinal) =>
        Decision.Refuse(ordinal < ledger.Issued ? Refusal.Duplicate : Refusal.Unknown);

    /// <summary>Batch k is ordinals [kB, (k+1)B) without the filtered ones.</summary>
    private static IEnumerable<WaitingGroup>? OrdinalBatch(RunLedger ledger)
    {
        var first = (long)ledger.Version * ledger.Settings.GroupsPerStep;
        var end = first + ledger.Settings.GroupsPerStep;
        if (ledger.Issued < end || ledger.Running.Keys.Any(ordinal => ordinal < end)) return null;
        return ledger.Waiting.Values.Where(group => group.Ordinal < end);
    }

    /// <summary>
    /// B completed groups, oldest version first, unless those left behind could then not all be trained in time. A group
    /// of oldest version w is due at version w + eta at the latest, so after the batch of version v at most (w + eta - v) B
    /// outstanding groups may be of version w or older, for every w. Otherwise the batch waits for running groups; once
    /// all have completed, oldest first always meets the bound, because admission does.
    /// </summary>
    private static IEnumerable<WaitingGroup>? OldestFirstBatch(RunLedger ledger)
    {
        var (settings, version) = (ledger.Settings, ledger.Version);
        if (ledger.Waiting.Count < settings.GroupsPerStep) return null;
        var ordered = ledger.Waiting.Values.OrderBy(group => group.OldestVersion).ThenBy(group => group.Ordinal).ToArray();
        // An incomplete group's issue version is a lower bound of its oldest version.
        int[] left = [.. ordered[settings.GroupsPerStep..].Select(group => group.OldestVersion), .. ledger.Running.Values.Select(group => group.Version)];
        for (var w = version - settings.MaxStaleness; w <= version; w++)
        {
            if (left.Count(oldest => oldest <= w) > (w + settings.MaxStaleness - version) * settings.GroupsPerStep) return null;
        }

        return ordered[..settings.GroupsPerStep];
    }
}
