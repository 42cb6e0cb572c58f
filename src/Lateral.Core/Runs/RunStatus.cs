using System.Collections.Immutable;

namespace Lateral.Core.Runs;

/// <summary>Why a run cannot go on.</summary>
/// <param name="Environment">the machine's doing (a full disk, a lost right), not the training's</param>
public sealed record RunFailure(string Reason, bool Environment);

/// <summary>The ledger's counts at one moment.</summary>
/// <param name="Finished">the last step is trained and in a checkpoint</param>
/// <param name="Running">groups on their way to completion</param>
/// <param name="Waiting">completed groups that no batch holds</param>
/// <param name="Ready">of the waiting ones, those the next batch can hold</param>
/// <param name="InBatch">groups of the batch that is formed and not trained</param>
/// <param name="CheckpointStep">null before the base is durable</param>
/// <param name="GroupsPerStep">B</param>
/// <param name="MaxStaleness">eta</param>
public sealed record LedgerStatus(
    int Version, int Steps, bool Finished, string? Paused, bool Draining,
    long Issued, long Trained, long Filtered, int Running, int Waiting, int Ready, int InBatch, int? CheckpointStep,
    int GroupsPerStep, int MaxStaleness)
{
    /// <summary>The reward pool the run is paused for until it answers again; null = a person is needed, or it is not paused.</summary>
    public string? PausedFor { get; init; }

    public static LedgerStatus Of(RunLedger ledger, bool draining = false)
    {
        var settings = ledger.Settings;
        var end = (ledger.Version + 1L) * settings.GroupsPerStep;
        var ready = settings.Deterministic ? ledger.Waiting.Keys.Count(ordinal => ordinal < end) : Math.Min(ledger.Waiting.Count, settings.GroupsPerStep);
        return new LedgerStatus(
            ledger.Version, settings.Steps, ledger.Finished && ledger.Saved, ledger.PauseReason, draining,
            ledger.Issued, ledger.Trained, ledger.Filtered, ledger.Running.Count, ledger.Waiting.Count, ready, ledger.Pending?.Groups.Length ?? 0,
            ledger.LastCheckpoint?.Step, settings.GroupsPerStep, settings.MaxStaleness)
        { PausedFor = ledger.Pause?.Pool };
    }

    /// <summary>What the ledger says of itself as a part.</summary>
    public PartStatus ToPart() => new(Parts.Ledger, this switch
    {
        { Paused: not null } => Phase.Paused,
        { Draining: true } => Phase.Draining,
        { Finished: true } => Phase.Finished,
        _ => Phase.Running,
    });
}

/// <summary>A run at one moment: its ledger's counts and what each of its parts says of itself.</summary>
/// <param name="Failed">set once a part failed for good</param>
/// <param name="Parts">by name; those that were never heard of are there as starting</param>
public sealed record RunStatus(LedgerStatus Ledger, RunFailure? Failed, ImmutableArray<PartStatus> Parts)
{
    /// <summary>What a user should be told once, oldest first; only ever added to.</summary>
    public ImmutableArray<string> Notices { get; init; } = [];

    public PartStatus? Part(string name) => Parts.FirstOrDefault(part => part.Part == name);
}
