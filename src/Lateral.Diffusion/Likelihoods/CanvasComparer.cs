using System.Diagnostics.CodeAnalysis;
using System.Runtime.InteropServices;

namespace Lateral.Diffusion.Likelihoods;

/// <summary>
/// Canvases are equal when their tokens are. Siblings begin with one canvas and often meet again: a forward computes each
/// different canvas once, and every rollout reads its own rows of it.
/// </summary>
internal sealed class CanvasComparer : IEqualityComparer<int[]>
{
    public static CanvasComparer Instance { get; } = new();

    public bool Equals(int[]? a, int[]? b) => a.AsSpan().SequenceEqual(b);

    public int GetHashCode([DisallowNull] int[] canvas)
    {
        var hash = default(HashCode);
        hash.AddBytes(MemoryMarshal.AsBytes(canvas.AsSpan()));
        return hash.ToHashCode();
    }
}
