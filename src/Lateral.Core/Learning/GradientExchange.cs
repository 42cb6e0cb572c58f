namespace Lateral.Core.Learning;

/// <summary>
/// Sums gradient shards across learner ranks. Every batch is cut into a fixed number of shards summed in shard order,
/// so the weights do not depend on the number of ranks or on micro-batches.
/// </summary>
public interface IGradientExchange
{
    int Rank { get; }

    int Ranks { get; }

    /// <summary>Whether this rank computes the shard.</summary>
    bool Owns(int shard);

    /// <summary>Adds a shard of this rank; shards are contributed in ascending order.</summary>
    void Contribute(int shard, ReadOnlySpan<float> gradient);

    /// <summary>Waits for all shards and writes their sum, taken in shard order.</summary>
    Task TotalAsync(Memory<float> sum, CancellationToken cancellation);
}

/// <summary>One rank owns every shard: the sum is a running one.</summary>
public sealed class SingleRankExchange : IGradientExchange
{
    private float[] _sum = [];
    private int _next;

    public int Rank => 0;

    public int Ranks => 1;

    public bool Owns(int shard) => true;

    public void Contribute(int shard, ReadOnlySpan<float> gradient)
    {
        if (shard != _next) throw new InvalidOperationException($"gradient shard {shard} arrived where {_next} was due");
        if (_next++ == 0)
        {
            if (_sum.Length != gradient.Length) _sum = new float[gradient.Length];
            gradient.CopyTo(_sum);
            return;
        }

        for (var i = 0; i < gradient.Length; i++) _sum[i] += gradient[i];
    }

    public Task TotalAsync(Memory<float> sum, CancellationToken cancellation)
    {
        _sum.CopyTo(sum);
        _next = 0;
        return Task.CompletedTask;
    }
}
