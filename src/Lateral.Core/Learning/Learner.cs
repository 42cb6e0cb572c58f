using System.Collections.Immutable;
using Lateral.Core.Policies;
using Lateral.Core.Rewards;

namespace Lateral.Core.Learning;

/// <summary>The groups that learner step <paramref name="Step"/> consumes: trains version Step - 1, yields version Step.</summary>
/// <param name="PlannedGroups">B; quarantined groups are absent from <paramref name="Groups"/> but stay in the denominator's plan</param>
public sealed record LearnerBatch(int Epoch, int Step, int PlannedGroups, ImmutableArray<ScoredGroup> Groups)
{
    /// <summary>A roll back: the step begins with this checkpoint's weights and optimizer instead of those of version Step - 1.</summary>
    public Checkpoint? From { get; init; }

    /// <summary>What the step decided when it was trained, which a replay obeys; null = it decides now.</summary>
    public StepDecision? Decided { get; init; }
}

/// <summary>What a step decided that its batch and weights do not determine. Journaled with the step, so that a replay does not decide again.</summary>
/// <param name="Updates">optimizer updates applied; fewer than <c>algorithm.updates</c>: the next one's gradient was not finite</param>
/// <param name="MicroBatches">by gradient shard; a sum of floats depends on how it is cut</param>
public sealed record StepDecision(int Updates, ImmutableArray<MicroBatchSpan> MicroBatches)
{
    /// <summary>Of a skipped step in a journal that holds no more about it.</summary>
    public static StepDecision SkippedWhole { get; } = new(0, []);
}

/// <summary>Micro-batches held at most <paramref name="Tokens"/> from a gradient shard on, counted over all updates of the step.</summary>
public readonly record struct MicroBatchSpan(int FirstShard, int Tokens);

/// <summary>What a step did.</summary>
/// <param name="Policy">the durable, published policy of version Step</param>
/// <param name="Skipped">a non-finite gradient: groups consumed, weights unchanged; replay must obey it</param>
/// <param name="Metrics">by name, for example <c>ratio/ess = 0.98</c></param>
public sealed record StepReport(int Step, PolicyManifest Policy, bool Skipped, ImmutableSortedDictionary<string, double> Metrics)
{
    /// <summary>Null in a journal of before there were decisions.</summary>
    public StepDecision? Decision { get; init; }

    /// <summary>What a replay of the step has to obey; null = nothing is known, it decides again.</summary>
    public StepDecision? ToObey => Decision ?? (Skipped ? StepDecision.SkippedWhole : null);
}

/// <summary>A durable checkpoint of the full training state, relative to the run directory.</summary>
/// <param name="Hash">SHA-256 of the checkpoint's weights file</param>
public sealed record Checkpoint(int Step, string Location, string Hash);

/// <summary>How far the supervised warm-up of the base is.</summary>
public sealed record WarmupProgress(int Step, int Steps, double Loss, double Seconds);

/// <summary>
/// Trains one policy. Every call runs on the engine's own device thread, one at a time; a failed engine is replaced by its owner.
/// </summary>
public interface ILearner : IAsyncDisposable
{
    /// <summary>Makes version 0 durable (by warm-up from the seed, or from existing weights) with its checkpoint, and loads it.</summary>
    Task<(PolicyManifest Policy, Checkpoint Checkpoint)> PrepareBaseAsync(IProgress<WarmupProgress> progress, CancellationToken cancellation);

    /// <summary>Loads weights, optimizer and step counter.</summary>
    /// <exception cref="PolicyUnavailableException">the checkpoint is missing, torn or has another hash</exception>
    Task LoadAsync(Checkpoint checkpoint, CancellationToken cancellation);

    /// <summary>
    /// One step: updates the weights and publishes the new version durably. Fails, without effect, when the batch is not the
    /// next step. What <see cref="LearnerBatch.Decided"/> says is done, not decided again.
    /// </summary>
    Task<StepReport> TrainAsync(LearnerBatch batch, CancellationToken cancellation);

    /// <summary>Writes the state of the last trained step; the copy is taken at once, the writing happens off the training thread.</summary>
    Task<Checkpoint> CheckpointAsync(CancellationToken cancellation);
}
