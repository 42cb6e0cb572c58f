using TorchSharp;
using static TorchSharp.torch;

namespace Lateral.Diffusion.Models;

/// <summary>
/// Keys and values of the positions 0 .. Length - 1 that earlier forwards computed, for forwards of a window of positions that see all of them (Fast-dLLM, Wu et al., arXiv 2505.22618; block caches of
/// SDAR and LLaDA2). Keys are kept before they turn, so that they may be asked for at any position. Of one model and batch; a cached value is what its forward saw: exact for block-causal models whose
/// blocks are complete, an approximation for all others.
/// </summary>
/// <remarks>Shapes: B canvases, T cached positions, W positions of a window, A width of all key heads.</remarks>
public sealed class KeyValueCache : IDisposable
{
    private readonly List<(Tensor Keys_BTA, Tensor Values_BTA)> _passes = [];

    /// <summary>Positions that are cached.</summary>
    public long Length => _passes.Count == 0 ? 0 : _passes[0].Keys_BTA.shape[1];

    /// <summary>Forgets what stands at <paramref name="length"/> and behind.</summary>
    public void Truncate(long length)
    {
        for (var pass = 0; pass < _passes.Count && length < Length; pass++)
        {
            // The length is that of the first pass: it goes last.
            var index = _passes.Count - 1 - pass;
            var (keys, values) = _passes[index];
            Replace(index, keys.narrow(1, 0, length).clone(), values.narrow(1, 0, length).clone());
        }
    }

    /// <summary>A layer's keys and values as the reference has them, for comparison.</summary>
    internal (Tensor Keys_BTA, Tensor Values_BTA) Of(int pass) => _passes[pass];

    /// <summary>Puts a window's keys and values in the place of those cached there.</summary>
    /// <returns>those of every position that the window sees</returns>
    internal (Tensor Keys_BTA, Tensor Values_BTA) Merge(CachedWindow window, Tensor keys_BWA, Tensor values_BWA)
    {
        var (pass, start) = (window.Pass, window.Start);
        if (pass < _passes.Count) (keys_BWA, values_BWA) = (Merged(_passes[pass].Keys_BTA, window, keys_BWA), Merged(_passes[pass].Values_BTA, window, values_BWA));
        else if (start != 0 || window.At_BW is not null) throw new InvalidOperationException($"a window begins at {start} and nothing before it is cached");
        if (window.Store) Replace(pass, keys_BWA.detach().clone(), values_BWA.detach().clone());
        return (keys_BWA, values_BWA);
    }

    public void Dispose()
    {
        foreach (var (keys, values) in _passes)
        {
            keys.Dispose();
            values.Dispose();
        }

        _passes.Clear();
    }

    private static Tensor Merged(Tensor cached_BTA, CachedWindow window, Tensor window_BWA)
    {
        if (window.At_BW is { } at_BW) return cached_BTA.scatter(1, at_BW.unsqueeze(2).expand(window_BWA.shape), window_BWA);
        var (start, length, end) = (window.Start, cached_BTA.shape[1], window.Start + window_BWA.shape[1]);
        if (start > length) throw new InvalidOperationException($"a window begins at {start} and only {length} positions before it are cached");
        return cat(end < length ? [cached_BTA.narrow(1, 0, start), window_BWA, cached_BTA.narrow(1, end, length - end)] : [cached_BTA.narrow(1, 0, start), window_BWA], 1);
    }

    private void Replace(int pass, Tensor keys, Tensor values)
    {
        (keys, values) = (keys.DetachFromDisposeScope(), values.DetachFromDisposeScope());
        if (pass == _passes.Count)
        {
            _passes.Add((keys, values));
            return;
        }

        _passes[pass].Keys_BTA.Dispose();
        _passes[pass].Values_BTA.Dispose();
        _passes[pass] = (keys, values);
    }
}

/// <summary>How one block of a windowed forward sees the cache.</summary>
/// <param name="Pass">which run of a block; a looped block has several</param>
/// <param name="Start">of its first position; the others stand behind it</param>
/// <param name="Store">what the window computed stays</param>
/// <param name="KeyCos">[T, 1, K] of all positions that are seen; <paramref name="KeySin"/> alike</param>
internal sealed record CachedWindow(KeyValueCache Cache, int Pass, long Start, bool Store, Tensor KeyCos, Tensor KeySin)
{
    /// <summary>int64 cached positions of a window that do not stand side by side; null = they do.</summary>
    public Tensor? At_BW { get; init; }
}
