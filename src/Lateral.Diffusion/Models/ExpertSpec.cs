using System.Collections.Immutable;

namespace Lateral.Diffusion.Models;

/// <summary>A mixture of experts in place of the dense MLP (LLaDA-MoE, LLaDA2): each token goes to a few of them.</summary>
/// <param name="Count">experts of a block</param>
/// <param name="PerToken">that a token goes to</param>
/// <param name="Width">hidden width of each</param>
/// <param name="DenseLayers">which blocks have a dense MLP nevertheless, by number</param>
/// <param name="SharedWidth">hidden width of the expert that every token goes to; 0 = there is none</param>
public sealed record ExpertSpec(int Count, int PerToken, int Width, ImmutableSortedSet<int> DenseLayers, int SharedWidth)
{
    /// <summary>The most experts that a model has in all its blocks, and that every token goes to: bounds of a layout's size.</summary>
    internal const int Most = 1 << 16, MostShared = 256;

    /// <summary>A token's scores are independent sigmoids (LLaDA2) and no softmax over all experts (LLaDA-MoE).</summary>
    public bool Sigmoid { get; init; }

    /// <summary>The chosen experts' weights are divided by their sum.</summary>
    public bool Renormalised { get; init; }

    /// <summary>A bias of each expert decides with its score who is chosen.</summary>
    public bool HasBias { get; init; }

    /// <summary>Factor of the chosen experts' output.</summary>
    public double Scale { get; init; } = 1;

    /// <summary>Experts stand in this many groups, of which a token first chooses <see cref="GroupsPerToken"/> by their two best.</summary>
    public int Groups { get; init; } = 1;

    /// <inheritdoc cref="Groups"/>
    public int GroupsPerToken { get; init; } = 1;

    /// <summary>Whether block <paramref name="layer"/> has experts.</summary>
    public bool In(int layer) => !DenseLayers.Contains(layer);

    /// <summary>By value: the set counts as what is in it.</summary>
    public bool Equals(ExpertSpec? other) => other is not null && DenseLayers.SetEquals(other.DenseLayers)
        && (Count, PerToken, Width, SharedWidth, Sigmoid, Renormalised, HasBias) == (other.Count, other.PerToken, other.Width, other.SharedWidth, other.Sigmoid, other.Renormalised, other.HasBias)
        && (Scale, Groups, GroupsPerToken) == (other.Scale, other.Groups, other.GroupsPerToken);

    public override int GetHashCode() => HashCode.Combine(Count, PerToken, Width, SharedWidth, Scale, Groups, GroupsPerToken, DenseLayers.Count);

    internal void Require(TransformerSpec spec)
    {
        if (Count <= 0 || Width <= 0 || SharedWidth < 0) throw new ModelException($"experts need a number and a width, got {Count} of {Width}");
        if ((long)Count * spec.Layers > Most || Width > TransformerSpec.MostWidth || SharedWidth > TransformerSpec.MostWidth) throw new ModelException($"{Count} experts in each of {spec.Layers} blocks, {Width} and {SharedWidth} wide, are more than {Most} or wider than {TransformerSpec.MostWidth}");
        if (!double.IsFinite(Scale) || Scale == 0) throw new ModelException($"the experts' output cannot be scaled by {Scale}");
        if (Groups <= 0 || Count % Groups != 0 || GroupsPerToken <= 0 || GroupsPerToken > Groups) throw new ModelException($"{Count} experts must stand in {Groups} equal groups, of which a token chooses at least one and at most all, got {GroupsPerToken}");
        if (Groups > 1 && Count / Groups < 2) throw new ModelException($"a group is chosen by its two best experts, and {Count} in {Groups} groups leave less");
        if (PerToken <= 0 || PerToken > Count / Groups * GroupsPerToken) throw new ModelException($"a token goes to at least one and at most {Count / Groups * GroupsPerToken} experts, got {PerToken}");
        if (DenseLayers.Any(layer => layer < 0 || layer >= spec.Layers)) throw new ModelException($"there are blocks 0 to {spec.Layers - 1}, and a dense one is none of them");
    }
}

/// <summary>Blocks that a forward runs several times with the same weights (LoopMDM, arXiv 2605.26106).</summary>
/// <param name="Start">the first of them</param>
/// <param name="End">the one behind the last</param>
/// <param name="Count">how often; 1 = an ordinary model</param>
public sealed record LoopSpec(int Start, int End, int Count)
{
    private const int MostRuns = 1 << 16;

    internal void Require(int layers)
    {
        if (Start < 0 || End <= Start || End > layers || Count < 1) throw new ModelException($"a loop goes over some of {layers} blocks at least once, got start {Start}, end {End}, count {Count}");
        if ((long)(End - Start) * Count > MostRuns) throw new ModelException($"a loop over {End - Start} blocks {Count} times runs more than {MostRuns}");
    }

    /// <summary>The blocks in the order in which a forward runs them.</summary>
    internal static IEnumerable<int> Order(LoopSpec? loop, int layers) => loop is null
        ? Enumerable.Range(0, layers)
        : [.. Enumerable.Range(0, loop.Start), .. Enumerable.Repeat(Enumerable.Range(loop.Start, loop.End - loop.Start), loop.Count).SelectMany(round => round), .. Enumerable.Range(loop.End, layers - loop.End)];
}
