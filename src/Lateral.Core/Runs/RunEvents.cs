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

/// <summary>A replayed step did not reproduce its published hash; training goes on from the new weights.</summary>
public sealed record ReplayDiverged(int Step, string Published, string Replayed) : IRunEvent;

/// <summary>Admission stopped for a reason a person must see; running work finishes.</summary>
public sealed record RunPaused(string Reason) : IRunEvent;

/// <summary>Admission goes on.</summary>
public sealed record RunResumed : IRunEvent;
