using System.Collections.Immutable;
using Lateral.Core.Learning;
using Lateral.Core.Policies;
using Lateral.Core.Rewards;

namespace Lateral.Core.Runs;

/// <summary>Held-out evaluation of a pinned version: its own random stream, outside the ledger.</summary>
public interface IEvaluator
{
    /// <param name="full">also greedy pass@1 and pass@k; otherwise sampled pass@1 only</param>
    /// <returns>metrics: <c>eval/pass_at_1</c>, <c>eval/greedy</c>, <c>eval/pass_at_k</c>, <c>eval/prompts</c>, <c>eval/seconds</c></returns>
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
