namespace Lateral.Core.Learning;

/// <summary>
/// The learner's process's end of the exchange: its own engine takes shards from the running round, and so do other ranks, by
/// name. Safe on any thread.
/// </summary>
/// <param name="ranks">that train together, the learner included; 1 = nobody else takes a shard</param>
/// <param name="deadline">how long another rank may hold a shard before somebody else may take it, too</param>
public sealed class SharedGradients(int ranks, TimeSpan deadline, TimeProvider time) : IGradientExchange, IGradientSink
{
    private readonly Lock _gate = new();
    private float[] _sum = [];

    /// <summary>Told of every round that others may share in, on the thread that begins it.</summary>
    public Action<GradientUpdate>? Begun { get; set; }

    public bool Shared => ranks > 1;

    /// <summary>The last round that was begun.</summary>
    public GradientRound? Current { get; private set; }

    /// <summary>One rank, which computes every shard.</summary>
    public static SharedGradients Alone() => new(1, Timeout.InfiniteTimeSpan, TimeProvider.System);

    public IGradientRound Begin(GradientUpdate update)
    {
        GradientRound round;
        lock (_gate)
        {
            Current?.End();
            if (_sum.Length != update.Length) _sum = new float[update.Length];
            Current = round = new GradientRound(update, _sum, deadline, time);
        }

        if (Shared) Begun?.Invoke(update);
        return round;
    }

    /// <summary>Takes what a rank of this process computed.</summary>
    public Task<bool> SendAsync(GradientKey update, int shard, ReadOnlyMemory<float> gradient, ShardReport report, CancellationToken cancellation) =>
        Task.FromResult(Current is { } round && round.Update.Key == update && round.TryContribute(shard, gradient.Span, report));
}
