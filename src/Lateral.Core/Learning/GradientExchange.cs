using System.Collections.Immutable;
using Lateral.Core.Policies;

namespace Lateral.Core.Learning;

/// <summary>
/// Sums gradient shards across learner ranks. Every batch is cut into a fixed number of shards that are summed in shard order,
/// so the weights depend neither on who computes which shard nor on how many there are to do it.
/// </summary>
public interface IGradientExchange
{
    /// <summary>Whether other ranks may take shards, and so need the update's weights.</summary>
    bool Shared { get; }

    /// <summary>Opens the round of one optimizer update. The round before it is over, however far it is.</summary>
    IGradientRound Begin(GradientUpdate update);
}

/// <summary>One optimizer update's shards, as the rank that applies their sum deals with them.</summary>
public interface IGradientRound
{
    /// <summary>A shard for the caller to compute, the lowest that nobody has; waits while others have all that are left.</summary>
    /// <returns>null = every shard is there</returns>
    /// <exception cref="InvalidOperationException">another round was begun</exception>
    Task<int?> NextAsync(CancellationToken cancellation);

    /// <param name="gradient">[P] of the shard's part of the loss, in the parameters' order; copied</param>
    void Contribute(int shard, ReadOnlySpan<float> gradient, ShardReport report);

    /// <summary>How many ranks have computed a shard of it.</summary>
    int Ranks { get; }

    /// <summary>Ends the round.</summary>
    /// <param name="sum">[P] takes the sum in shard order</param>
    /// <returns>of every shard, in shard order</returns>
    ImmutableArray<ShardReport> Total(Span<float> sum);
}

/// <summary>
/// What every rank has to know of one optimizer update.
/// Example: <c>batch of step 18, update 0, 8 shards of 124,736 numbers, weights v17 "9f3c.."</c>.
/// </summary>
/// <param name="Update">of the step, from 0</param>
/// <param name="Length">P, numbers in the gradient</param>
/// <param name="Weights">those that the gradient is of, to be fetched like a policy; null where the exchange is not shared</param>
/// <param name="Cuts">[Shards] what a micro-batch of each shard held when the step was first trained; null = as memory allows</param>
public sealed record GradientUpdate(LearnerBatch Batch, int Update, int Shards, int Length, PolicyManifest? Weights, ImmutableArray<int>? Cuts)
{
    public GradientKey Key => new(Batch.Epoch, Batch.Step, Update);
}

/// <summary>Identity of an update: a gradient of another one is refused.</summary>
public readonly record struct GradientKey(int Epoch, int Step, int Update);

/// <summary>What a shard says beside its gradient.</summary>
/// <param name="Tokens">what its micro-batches held at most</param>
/// <param name="Scored">in the order in which they were scored; of a step's first update only</param>
public sealed record ShardReport(int Tokens, ImmutableArray<ScoredUnit> Scored);

/// <summary>A token, step or completion as the gradient saw it.</summary>
/// <param name="Rollout">index of its trajectory in its batch</param>
/// <param name="LogRatio">log pi - log mu; NaN where nobody computed mu</param>
/// <param name="Weight">factor of its loss</param>
/// <param name="Clipped">its gradient was cut to zero</param>
/// <param name="Loss">weighted, not divided by the denominator</param>
public readonly record struct ScoredUnit(int Rollout, double LogRatio, double Weight, bool Clipped, double Loss)
{
    /// <summary>Whether its advantage is positive.</summary>
    public bool Good { get; init; }

    /// <summary>log pi - log reference; NaN where nothing asks the reference. It stays on the learner's node, which alone has one.</summary>
    public double Drift { get; init; } = double.NaN;
}

/// <summary>
/// A rank beside the learner: computes shards on one device under the learner's weights, and keeps nothing that the learner does
/// not have. Calls are made one at a time.
/// </summary>
public interface IGradientRank : IAsyncDisposable
{
    /// <exception cref="PolicyUnavailableException">the file is not what the manifest says</exception>
    Task LoadAsync(PolicyManifest weights, string path, CancellationToken cancellation);

    /// <returns>[P] the gradient, and what is to be said of the shard</returns>
    Task<(float[] Gradient, ShardReport Report)> ComputeAsync(GradientUpdate update, int shard, CancellationToken cancellation);
}

/// <summary>Takes a rank's gradients to the learner.</summary>
public interface IGradientSink
{
    /// <returns>false = nobody waits for it any more</returns>
    /// <exception cref="IOException">the learner cannot be reached</exception>
    Task<bool> SendAsync(GradientKey update, int shard, ReadOnlyMemory<float> gradient, ShardReport report, CancellationToken cancellation);
}
