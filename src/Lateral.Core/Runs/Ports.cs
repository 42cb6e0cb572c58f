using System.Collections.Immutable;
using Lateral.Core.Learning;
using Lateral.Core.Policies;
using Lateral.Core.Rewards;

namespace Lateral.Core.Runs;

/// <summary>Held-out evaluation of a pinned version: its own random stream, outside the ledger.</summary>
public interface IEvaluator
{
    /// <param name="full">also greedy pass@1 and pass@k; otherwise sampled pass@1 only</param>
    /// <returns>metrics: <c>eval/pass_at_1</c>, <c>eval/greedy</c>, <c>eval/pass_at_k</c>, <c>eval/distinct_correct</c>, <c>eval/vote_at_N</c> where N attempts vote, <c>eval/prompts</c>, <c>eval/seconds</c></returns>
    Task<ImmutableSortedDictionary<string, double>> EvaluateAsync(PolicyManifest policy, bool full, CancellationToken cancellation);
}

/// <summary>
/// The run directory as the learner's node writes it. Every call is idempotent by step: a recovered run records again
/// and nothing appears twice.
/// </summary>
public interface IRunRecorder
{
    void Warmup(WarmupProgress progress);

    Task RecordBaseAsync(BaseReady ready, CancellationToken cancellation);

    /// <summary>Appends the step's line to metrics.jsonl and archives its rollouts.</summary>
    /// <param name="batch">the step's scored groups; null where a replayed report has to be recorded without them</param>
    Task RecordStepAsync(StepReport report, LearnerBatch? batch, CancellationToken cancellation);

    /// <summary>The last step recorded; 0 when none.</summary>
    int LastRecordedStep { get; }
}

/// <summary>Published policy snapshots of the learner's node.</summary>
public interface IPolicyStore
{
    /// <summary>Deletes snapshots below the version; checkpoints are kept apart and stay.</summary>
    void Prune(int oldestVersion);
}

/// <summary>Where a run's policies can be fetched, as the learner's node tells the others.</summary>
/// <param name="Address">for example <c>https://10.0.0.7:5601/</c>; null = every node reads the run directory</param>
/// <param name="Token">what a request has to show; null = certificates are enough, or a file on each node holds it</param>
public sealed record PolicySource(string? Address, Secret? Token)
{
    public static PolicySource RunDirectory { get; } = new(null, null);
}
