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
    /// <summary>A learner asks for the run: it gets a new epoch, which fences every earlier one.</summary>
    public static Decision GrantEpoch(this RunLedger ledger, string owner) => Decision.Of(new EpochGranted(ledger.Epoch + 1, owner));

    /// <summary>
    /// Groups to issue now: as many as keep accepted + running below (eta + version + 1) * B and within the run's steps.
    /// A filtered group leaves the count, except in deterministic mode, where its ordinal keeps its place as an empty group.
    /// </summary>
    public static ImmutableArray<GroupIssued> Admit(this RunLedger ledger)
    {
        if (ledger.Base is null || ledger.PauseReason is not null) return [];
        var settings = ledger.Settings;
        var budget = Math.Min(settings.MaxStaleness + ledger.Version + 1L, settings.Steps) * settings.GroupsPerStep;
        var counted = settings.Deterministic ? ledger.Issued : ledger.Issued - ledger.Filtered;
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
        if (ledger.Base is null || ledger.Pending is not null || ledger.Finished) return null;
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
        if (committed.Checkpoint.Step <= ledger.LastCheckpoint?.Step) return Decision.Refuse(Refusal.Duplicate);
        return committed.Checkpoint.Step <= ledger.Version ? Decision.Of(committed) : Decision.Refuse(Refusal.Unknown);
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
