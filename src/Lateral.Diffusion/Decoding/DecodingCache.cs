using Lateral.Diffusion.Models;
using static TorchSharp.torch;

namespace Lateral.Diffusion.Decoding;

/// <summary>What is computed again at every step of a block. All of them but the first are approximations: what is cached saw other tokens than stand there now.</summary>
public abstract record DecodingCache
{
    /// <summary>Everything.</summary>
    public static DecodingCache None { get; } = new NoCache();

    /// <summary>The block and what is behind it; what is before it is cached once a block (Fast-dLLM, Wu et al., arXiv 2505.22618).</summary>
    public static DecodingCache Prefix { get; } = new PrefixCache();

    /// <summary>The block; both sides of it are cached once a block (Fast-dLLM).</summary>
    public static DecodingCache Dual { get; } = new DualCache();

    /// <exception cref="DecodingException">a number out of its range</exception>
    internal virtual void Require()
    {
    }

    /// <summary>[B, K, D] of a block's positions.</summary>
    /// <param name="memory">of the block; its first step fills it</param>
    /// <param name="step">of the block</param>
    /// <param name="call">forwards of the decoding before this one</param>
    internal abstract Tensor Hidden(DecodingCanvas canvas, BlockMemory memory, int begin, int end, int step, int call);

    private protected static void RequireEvery(int? refreshEvery)
    {
        if (refreshEvery < 1) throw new DecodingException($"a cache is refreshed every {refreshEvery} steps: it must be 1 or more");
    }
}

/// <inheritdoc cref="DecodingCache.None"/>
public sealed record NoCache : DecodingCache
{
    internal override Tensor Hidden(DecodingCanvas canvas, BlockMemory memory, int begin, int end, int step, int call) => canvas.Hidden(begin, end);
}

/// <inheritdoc cref="DecodingCache.Prefix"/>
public sealed record PrefixCache : DecodingCache
{
    internal override Tensor Hidden(DecodingCanvas canvas, BlockMemory memory, int begin, int end, int step, int call)
    {
        if (step > 0) return canvas.Hidden(begin, canvas.Length, begin, end, memory.Keys, store: false);
        var hidden_BKD = canvas.Hidden(begin, end, memory.Keys);
        memory.Keys.Truncate(begin);
        return hidden_BKD;
    }
}

/// <inheritdoc cref="DecodingCache.Dual"/>
public sealed record DualCache : DecodingCache
{
    internal override Tensor Hidden(DecodingCanvas canvas, BlockMemory memory, int begin, int end, int step, int call) =>
        step == 0 ? canvas.Hidden(begin, end, memory.Keys) : canvas.Hidden(begin, end, begin, end, memory.Keys, store: true);
}

/// <summary>
/// The block and its vicinity (dInfer, Ma et al., arXiv 2510.08666); everything at a block's first step, at the first steps of all, and every so many. A refresh is a step of its own here, where dInfer
/// follows it with a forward of the vicinity.
/// </summary>
/// <param name="Before">positions before the block, 0 or more</param>
/// <param name="After">positions behind it, 0 or more</param>
/// <param name="WarmUp">first steps of a decoding that compute everything, 0 or more</param>
/// <param name="RefreshEvery">steps of the decoding; null = at a block's first step only</param>
public sealed record VicinityCache(int Before = 16, int After = 16, int WarmUp = 4, int? RefreshEvery = null) : DecodingCache
{
    internal override void Require()
    {
        RequireEvery(RefreshEvery);
        if (Before < 0 || After < 0 || WarmUp < 0) throw new DecodingException($"a vicinity of {Before} and {After} positions and a warm-up of {WarmUp} steps must be 0 or positive");
    }

    internal override Tensor Hidden(DecodingCanvas canvas, BlockMemory memory, int begin, int end, int step, int call) =>
        step == 0 || call < WarmUp || (RefreshEvery is { } every && call % every == 0)
            ? canvas.Hidden(begin, end, memory.Keys)
            // The window is computed at every step until the next refresh: nobody asks for its keys before.
            : canvas.Hidden(Math.Max(0, begin - Before), Math.Min(canvas.Length, end + After), begin, end, memory.Keys, store: false);
}

/// <summary>
/// The positions that were masked when the step before was computed (dKV-Cache-Decode, Ma et al., arXiv 2505.15781): a token is computed once more after it was decoded, and then kept. Everything at a
/// block's first two steps, and every so many. Canvases of a batch must have equally many masks, as even shares leave them.
/// </summary>
/// <param name="RefreshEvery">steps of a block</param>
public sealed record DelayedCache(int RefreshEvery = 4) : DecodingCache
{
    // The first step has none before it, and the second would spare the given tokens only.
    private const int FirstDelayed = 2;

    internal override void Require() => RequireEvery(RefreshEvery);

    internal override Tensor Hidden(DecodingCanvas canvas, BlockMemory memory, int begin, int end, int step, int call)
    {
        var masked_BL = canvas.Masked(0, canvas.Length);
        var hidden_BKD = step < FirstDelayed || step % RefreshEvery == 0 ? canvas.Hidden(begin, end, memory.Keys) : canvas.HiddenAt(memory.Masked_BL!, begin, end, memory.Keys);
        memory.Remember(masked_BL);
        return hidden_BKD;
    }
}

/// <summary>What the steps of one block keep for those behind them.</summary>
internal sealed class BlockMemory : IDisposable
{
    public KeyValueCache Keys { get; } = new();

    /// <summary>What was masked when the last step was computed.</summary>
    public Tensor? Masked_BL { get; private set; }

    public void Remember(Tensor masked_BL)
    {
        Masked_BL?.Dispose();
        Masked_BL = masked_BL.DetachFromDisposeScope();
    }

    public void Dispose()
    {
        Keys.Dispose();
        Masked_BL?.Dispose();
    }
}
