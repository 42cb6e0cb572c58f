namespace Lateral.Diffusion.Decoding;

/// <summary>
/// Which blocks of a completion are there, and what each may do, by how many masks it has left: D2F's rules without its model. From left to right, blocks are complete, active, and not there yet.
/// </summary>
/// <remarks>Invariants: 0 &lt;= Complete &lt;= Added; a block before Complete has no masks, the one at Complete has some or is not there; nothing is added once it was stopped.</remarks>
internal sealed class BlockPipeline(PipelinedSettings settings)
{
    private readonly List<int> _masked = [];
    private bool _stopped;

    /// <summary>Blocks that are there.</summary>
    public int Added => _masked.Count;

    /// <summary>The leading ones without masks. Those behind the first with masks are active, even where they have none: what they see may still change.</summary>
    public int Complete { get; private set; }

    public int Active => Added - Complete;

    /// <summary>Before a forward: adds one block of masks where the last is decoded far enough, and at the begin.</summary>
    /// <returns>whether anything is left to denoise</returns>
    public bool Grow()
    {
        if (!_stopped && Added < settings.Blocks && (Added == 0 || Decoded(Added - 1) >= settings.BlockAdd)) _masked.Add(settings.BlockLength);
        return Active > 0;
    }

    /// <summary>Of each active block, how many positions it reveals where none is sure enough: one if the block before it is decoded far enough, else none.</summary>
    public long[] Least() => [.. Enumerable.Range(Complete, Active).Select(block => block == 0 || Decoded(block - 1) >= settings.Decoded ? 1L : 0L)];

    /// <summary>After a forward.</summary>
    /// <param name="masked">masks left in each active block</param>
    /// <param name="stopped">no more blocks are wanted</param>
    public void Observe(ReadOnlySpan<long> masked, bool stopped)
    {
        if (masked.Length != Active) throw new ArgumentException($"{masked.Length} counts for {Active} active blocks", nameof(masked));
        for (var i = 0; i < masked.Length; i++) _masked[Complete + i] = (int)masked[i];
        while (Complete < Added && _masked[Complete] == 0) Complete++;
        _stopped |= stopped;
    }

    private double Decoded(int block) => (double)(settings.BlockLength - _masked[block]) / settings.BlockLength;
}
