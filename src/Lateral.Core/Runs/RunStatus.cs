using System.Collections.Immutable;

namespace Lateral.Core.Runs;

/// <summary>What a part of the run is doing now, since when, and what it waits for: nothing waits without saying so.</summary>
/// <param name="Part">for example <c>learner</c>, <c>sampler cpu</c>, <c>ledger</c></param>
/// <param name="Phase">for example <c>training step 12</c></param>
/// <param name="WaitsFor">for example <c>batch 13 (11/32 groups)</c>; null when it works</param>
public sealed record PhaseStatus(string Part, string Phase, double Seconds, string? WaitsFor);

/// <summary>Why a run cannot go on.</summary>
/// <param name="Environment">the machine's doing (a full disk, a lost right), not the training's</param>
public sealed record RunFailure(string Reason, bool Environment);

/// <summary>A run at one moment, from its ledger and its actors.</summary>
public sealed record RunStatus(
    int Version, int Steps, bool Finished, string? Paused, RunFailure? Failed,
    long Issued, long Trained, long Filtered, int Running, int Waiting, int InBatch, int? CheckpointStep,
    ImmutableArray<PhaseStatus> Phases);
