using System.Collections.Immutable;
using Lateral.Core.Learning;
using Lateral.Core.Policies;

namespace Lateral.Core.Runs;

/// <summary>What the ledger's decisions depend on besides its events.</summary>
/// <param name="GroupsPerStep">B</param>
/// <param name="MaxStaleness">eta: how many versions old a trained group may be; 0 is the synchronous algorithm</param>
/// <param name="Deterministic">fixed lag and ordinal-order batches</param>
public sealed record LedgerSettings(int GroupsPerStep, int MaxStaleness, int Steps, bool Deterministic);

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
/// <item>Conservation: Issued = Trained + Filtered + Running + Waiting + (groups of the pending batch).</item>
/// <item>A group is in exactly one BatchFormed, a step in exactly one StepTrained, and steps are consecutive.</item>
/// <item>Admission: Issued - Filtered never exceeds (MaxStaleness + Version + 1) * B.</item>
/// <item>Due dates: after the batch of version v at most (w + MaxStaleness - v) * B outstanding groups are of version w or
/// older, for every w; so no batch holds a group whose oldest version is below Version - MaxStaleness.</item>
/// <item>A report of an epoch below <see cref="Epoch"/> changes nothing.</item>
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

    public ImmutableSortedDictionary<long, RunningGroup> Running { get; init; } = ImmutableSortedDictionary<long, RunningGroup>.Empty;

    public ImmutableSortedDictionary<long, WaitingGroup> Waiting { get; init; } = ImmutableSortedDictionary<long, WaitingGroup>.Empty;

    /// <summary>The batch that is formed and not yet trained.</summary>
    public BatchFormed? Pending { get; init; }

    public Checkpoint? LastCheckpoint { get; init; }

    /// <summary>Steps after the last checkpoint, which a recovering learner replays.</summary>
    public ImmutableList<ReplayStep> SinceCheckpoint { get; init; } = [];

    public string? PauseReason { get; init; }

    public bool Finished => Base is not null && Version >= Settings.Steps;

    /// <summary>The fold's step.</summary>
    /// <exception cref="LedgerException">the event breaks an invariant: the journal and this code disagree</exception>
    public RunLedger Apply(IRunEvent change) => change switch
    {
        EpochGranted e => this with { Epoch = e.Epoch },
        BaseReady e => this with { Base = e, Policies = Policies.SetItem(0, e.Policy), LastCheckpoint = e.Checkpoint },
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
        CheckpointCommitted e => this with
        {
            LastCheckpoint = e.Checkpoint,
            SinceCheckpoint = SinceCheckpoint.RemoveAll(step => step.Batch.Step <= e.Checkpoint.Step),
        },
        ReplayDiverged => this,
        RunPaused e => this with { PauseReason = e.Reason },
        RunResumed => this with { PauseReason = null },
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
        };
    }

    private RunLedger Expect(bool holds, IRunEvent change) =>
        holds ? this : throw new LedgerException($"{change} does not follow from version {Version}, epoch {Epoch}, {Issued} issued");
}

/// <summary>A trained step that is not in a checkpoint yet.</summary>
public sealed record ReplayStep(BatchFormed Batch, StepTrained Trained);

/// <summary>An event that cannot follow the ones before it.</summary>
public sealed class LedgerException(string message) : Exception(message);
