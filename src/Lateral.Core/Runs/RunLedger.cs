using System.Collections.Immutable;
using Lateral.Core.Learning;
using Lateral.Core.Policies;

namespace Lateral.Core.Runs;

/// <summary>What the ledger's decisions depend on besides its events.</summary>
/// <param name="GroupsPerStep">B</param>
/// <param name="MaxStaleness">eta: how many versions old a trained group may be; 0 is the synchronous algorithm</param>
/// <param name="Deterministic">fixed lag and ordinal-order batches</param>
public sealed record LedgerSettings(int GroupsPerStep, int MaxStaleness, int Steps, bool Deterministic)
{
    public SpikeSettings Spikes { get; init; } = SpikeSettings.Off;
}

/// <summary>A group on its way to completion.</summary>
public readonly record struct RunningGroup(long Ordinal, int Version);

/// <summary>A completed group that no batch holds yet.</summary>
public readonly record struct WaitingGroup(long Ordinal, int OldestVersion, int NewestVersion, string Hash);

/// <summary>
/// The run's ledger: a fold over <see cref="IRunEvent"/>. No clock and no randomness inside.
/// </summary>
/// <remarks>
/// Invariants, at every moment:
/// <list type="bullet">
/// <item>I1 identity: ordinals are consecutive, and a group is issued here before a sampler hears of it.</item>
/// <item>I2 conservation: Issued = Trained + Filtered + Running + Waiting + (groups of the pending batch).</item>
/// <item>I3 at most once: a group is in exactly one BatchFormed, a step in exactly one StepTrained, and steps are consecutive.
/// A roll back trains nothing again: the groups of undone steps go from Trained to Filtered, and the step number goes on.</item>
/// <item>Admission: Issued - (Filtered - Undone) never exceeds (MaxStaleness + Version + 1) * B: an undone group has had its place in a batch.</item>
/// <item>I7 staleness, by due dates: after the batch of version v at most (w + MaxStaleness - v) * B outstanding groups are of version w or
/// older, for every w; so no batch holds a group whose oldest version is below Version - MaxStaleness.</item>
/// <item>I6 fencing: a report of an epoch below <see cref="Epoch"/> changes nothing.</item>
/// <item>I9 retention: the two newest durable checkpoints are known, and every step after the older one can be replayed.</item>
/// </list>
/// </remarks>
public sealed record RunLedger(LedgerSettings Settings)
{
    public int Epoch { get; init; }

    /// <summary>Null until the base is durable.</summary>
    public BaseReady? Base { get; init; }

    /// <summary>The last trained step, which is the current policy version.</summary>
    public int Version { get; init; }

    /// <summary>Published policies a sampler may still need, by version.</summary>
    public ImmutableSortedDictionary<int, PolicyManifest> Policies { get; init; } = ImmutableSortedDictionary<int, PolicyManifest>.Empty;

    /// <summary>Groups ever issued; also the next ordinal.</summary>
    public long Issued { get; init; }

    public long Trained { get; init; }

    public long Filtered { get; init; }

    /// <summary>Of the filtered groups, those that a step had consumed before it was undone.</summary>
    public long Undone { get; init; }

    public ImmutableSortedDictionary<long, RunningGroup> Running { get; init; } = ImmutableSortedDictionary<long, RunningGroup>.Empty;

    public ImmutableSortedDictionary<long, WaitingGroup> Waiting { get; init; } = ImmutableSortedDictionary<long, WaitingGroup>.Empty;

    /// <summary>The batch that is formed and not yet trained.</summary>
    public BatchFormed? Pending { get; init; }

    /// <summary>Durable ones a learner may recover from, oldest first: two, once there are two.</summary>
    public ImmutableList<Checkpoint> Checkpoints { get; init; } = [];

    public Checkpoint? LastCheckpoint => Checkpoints.IsEmpty ? null : Checkpoints[^1];

    /// <summary>Steps after the oldest of <see cref="Checkpoints"/>, which a recovering learner replays.</summary>
    public ImmutableList<ReplayStep> SinceCheckpoint { get; init; } = [];

    /// <summary>By step, the checkpoint it begins with instead of the version before it.</summary>
    public ImmutableSortedDictionary<int, Checkpoint> RollBacks { get; init; } = ImmutableSortedDictionary<int, Checkpoint>.Empty;

    /// <summary>Steps up to the last trained one whose gradient was not finite, in a row.</summary>
    public int SkippedInARow { get; init; }

    /// <summary>The newest steps that were neither skipped nor undone, oldest first: what the last one is judged by.</summary>
    public ImmutableList<StepGauges> Course { get; init; } = [];

    /// <summary>The last step whose spike was answered; 0 = none.</summary>
    public int SpikeAnswered { get; init; }

    /// <summary>The step that the last roll back began; 0 = none.</summary>
    public int LastRollBack { get; init; }

    /// <summary>Null while nothing keeps the run from going on.</summary>
    public RunPaused? Pause { get; init; }

    public string? PauseReason => Pause?.Reason;

    /// <summary>Nothing that counts would be lost by going back to <see cref="LastCheckpoint"/>.</summary>
    public bool Saved => LastCheckpoint is { } last && (last.Step == Version || UndoneThrough == Version);

    /// <summary>The last step that a roll back has undone; 0 when none, or when a checkpoint has been made since.</summary>
    internal int UndoneThrough => RollBacks.IsEmpty ? 0 : RollBacks.Keys.Last() - 1;

    public bool Finished => Base is not null && Version >= Settings.Steps;

    /// <summary>The fold's step.</summary>
    /// <exception cref="LedgerException">the event breaks an invariant: the journal and this code disagree</exception>
    public RunLedger Apply(IRunEvent change) => change switch
    {
        EpochGranted e => this with { Epoch = e.Epoch },
        BaseReady e => this with { Base = e, Policies = Policies.SetItem(0, e.Policy), Checkpoints = [e.Checkpoint] },
        GroupIssued e => Expect(e.Ordinal == Issued, e) with { Issued = Issued + 1, Running = Running.Add(e.Ordinal, new(e.Ordinal, e.Version)) },
        GroupCompleted e => Expect(Running.ContainsKey(e.Ordinal), e) with
        {
            Running = Running.Remove(e.Ordinal),
            Waiting = Waiting.Add(e.Ordinal, new(e.Ordinal, e.OldestVersion, e.NewestVersion, e.Hash)),
        },
        GroupFiltered e => Expect(Running.ContainsKey(e.Ordinal) || Waiting.ContainsKey(e.Ordinal), e) with
        {
            Running = Running.Remove(e.Ordinal),
            Waiting = Waiting.Remove(e.Ordinal),
            Filtered = Filtered + 1,
        },
        BatchFormed e => Expect(e.Step == Version + 1 && Pending is null && e.Groups.All(g => Waiting.ContainsKey(g.Ordinal)), e) with
        {
            Pending = e,
            Waiting = Waiting.RemoveRange(e.Groups.Select(g => g.Ordinal)),
        },
        StepTrained e => Train(e),
        CheckpointCommitted e => Commit(e.Checkpoint),
        RolledBack e => RollBack(e),
        CheckpointLost e => Expect(Checkpoints.Count > 1 && Checkpoints.Contains(e.Checkpoint), e) with { Checkpoints = Checkpoints.Remove(e.Checkpoint) },
        SpikeSeen e => this with { SpikeAnswered = e.Step },
        ReplayDiverged => this,
        RunPaused e => this with { Pause = e },
        // Whoever looked at the skipped steps and resumed wants to see as many again before the next pause.
        RunResumed => this with { Pause = null, SkippedInARow = Pause?.Pool is null ? 0 : SkippedInARow },
        _ => throw new LedgerException($"unknown event {change.GetType().Name}"),
    };

    private RunLedger Train(StepTrained trained)
    {
        Expect(Pending?.Step == trained.Step && trained.Epoch == Epoch, trained);
        // A running group may still be sampled under any version from its own on; deterministic re-issues need exactly that one.
        var oldestUseful = Math.Min(trained.Step - Settings.MaxStaleness, Running.Values.Select(group => group.Version).DefaultIfEmpty(int.MaxValue).Min());
        return this with
        {
            Version = trained.Step,
            Trained = Trained + Pending!.Groups.Length,
            Pending = null,
            Policies = Policies.RemoveRange(Policies.Keys.Where(version => version < oldestUseful)).SetItem(trained.Step, trained.Report.Policy),
            SinceCheckpoint = SinceCheckpoint.Add(new ReplayStep(Pending, trained)),
            SkippedInARow = trained.Report.Skipped ? SkippedInARow + 1 : 0,
            Course = trained.Report.Skipped || Settings.Spikes.ZScore == 0 ? Course : Course.Add(StepGauges.Of(trained.Report)).RemoveRange(0, Math.Max(0, Course.Count - Settings.Spikes.Window)),
        };
    }

    private RunLedger Commit(Checkpoint checkpoint)
    {
        var newest = Checkpoints.IsEmpty ? [checkpoint] : ImmutableList.Create(Checkpoints[^1], checkpoint);
        var oldest = newest[0].Step;
        return this with
        {
            Checkpoints = newest,
            SinceCheckpoint = SinceCheckpoint.RemoveAll(step => step.Batch.Step <= oldest),
            RollBacks = RollBacks.RemoveRange(RollBacks.Keys.Where(step => step <= oldest)),
        };
    }

    private RunLedger RollBack(RolledBack change)
    {
        Expect(change.Step == Version + 1 && Pending is null && Checkpoints.Contains(change.To), change);
        var before = Math.Max(change.To.Step, UndoneThrough);
        var undone = SinceCheckpoint.Where(step => step.Batch.Step > before).Sum(step => step.Batch.Groups.Length);
        return this with
        {
            Trained = Trained - undone,
            Filtered = Filtered + undone,
            Undone = Undone + undone,
            RollBacks = RollBacks.SetItem(change.Step, change.To),
            LastRollBack = change.Step,
            Course = Course.RemoveAll(step => step.Step > change.To.Step),
            // A checkpoint of what is undone is nothing to recover from.
            Checkpoints = Checkpoints.RemoveAll(checkpoint => checkpoint.Step > change.To.Step),
        };
    }

    private RunLedger Expect(bool holds, IRunEvent change) =>
        holds ? this : throw new LedgerException($"{change} does not follow from version {Version}, epoch {Epoch}, {Issued} issued");
}

/// <summary>A trained step that a recovering learner may have to train again.</summary>
public sealed record ReplayStep(BatchFormed Batch, StepTrained Trained)
{
    /// <summary>What the step began with instead of the version before it; null = that version.</summary>
    public Checkpoint? From { get; init; }
}

/// <summary>An event that cannot follow the ones before it.</summary>
public sealed class LedgerException(string message) : Exception(message);
