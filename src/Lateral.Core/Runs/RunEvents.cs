using System.Collections.Immutable;
using Lateral.Core.Learning;
using Lateral.Core.Policies;

namespace Lateral.Core.Runs;

/// <summary>An ordering decision of a run. Replaying the journal's events replays the run.</summary>
public interface IRunEvent;

/// <summary>A learner took over; reports of lower epochs are refused from here on.</summary>
public sealed record EpochGranted(int Epoch, string Owner) : IRunEvent;

/// <summary>Version 0 is durable; samplers start only after this.</summary>
public sealed record BaseReady(PolicyManifest Policy, Checkpoint Checkpoint, ImmutableSortedDictionary<string, double> Metrics) : IRunEvent;

/// <summary>A group entered the pipeline.</summary>
/// <param name="Version">the oldest policy version its rollouts may be sampled under; in deterministic mode the only one</param>
public sealed record GroupIssued(long Ordinal, int Version) : IRunEvent;

/// <summary>Every sibling is sampled and scored.</summary>
/// <param name="OldestVersion">oldest policy version of any denoising step of any sibling</param>
/// <param name="Hash">content hash of the scored group (<see cref="ContentHash"/>)</param>
public sealed record GroupCompleted(long Ordinal, int OldestVersion, int NewestVersion, string Hash) : IRunEvent;

/// <summary>A group left the pipeline untrained, whole; it is counted, never silently lost.</summary>
public sealed record GroupFiltered(long Ordinal, string Reason) : IRunEvent;

/// <summary>Which groups step <paramref name="Step"/> consumes, in ordinal order.</summary>
public sealed record BatchFormed(int Step, ImmutableArray<BatchGroup> Groups) : IRunEvent;

/// <summary>A group of a batch with the content hash the learner verifies.</summary>
public readonly record struct BatchGroup(long Ordinal, string Hash);

/// <summary>Step done: its policy is durable and its batch consumed.</summary>
public sealed record StepTrained(int Epoch, StepReport Report) : IRunEvent
{
    public int Step => Report.Step;
}

/// <summary>The full training state of a step is durable.</summary>
public sealed record CheckpointCommitted(Checkpoint Checkpoint) : IRunEvent;

/// <summary>
/// Step <paramref name="Step"/> begins with the weights of an earlier checkpoint: what the steps between them trained is undone,
/// and their groups are quarantined. Steps and versions go on, so that no policy's identity is ever used twice.
/// </summary>
public sealed record RolledBack(int Step, Checkpoint To, string Reason) : IRunEvent;

/// <summary>A step left the run's course; what follows from it, if anything, is the next event.</summary>
public sealed record SpikeSeen(int Step, string Reason) : IRunEvent;

/// <summary>A checkpoint cannot be loaded any more; the one before it is the newest now.</summary>
public sealed record CheckpointLost(Checkpoint Checkpoint, string Reason) : IRunEvent;

/// <summary>A replayed step did not reproduce its published hash; training goes on from the new weights.</summary>
public sealed record ReplayDiverged(int Step, string Published, string Replayed) : IRunEvent;

/// <summary>No group is issued any more; what is being sampled and scored goes on.</summary>
public sealed record RunPaused(string Reason) : IRunEvent
{
    /// <summary>The reward pool that has to answer before the run goes on by itself; null = a person must see the reason, and until then no batch is formed either.</summary>
    public string? Pool { get; init; }
}

/// <summary>Admission goes on.</summary>
public sealed record RunResumed : IRunEvent;
