namespace Lateral.Core;

/// <summary>Independent families of random numbers of one run.</summary>
public enum RandomStream
{
    Token = 1,
    Selection = 2,
    EvaluationToken = 3,
    EvaluationSelection = 4,
    MaskPlan = 5,
    StepSubset = 6,
    Prompt = 7,
    Corpus = 8,
    Noise = 9,
    Initialization = 10,
    Canary = 11,
    Hint = 12,
    Shuffle = 13,
}

/// <summary>
/// Counter-based randomness: a value is a pure function of (run seed, stream, group ordinal, sibling, step, position, draw),
/// so a result never depends on device, slot, batch order, run name or restart, and no generator has state to save.
/// </summary>
/// <remarks>
/// Philox4x32-10 (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC 2011, section 4.3). The key is the run
/// seed; the seven coordinates are packed into the 128-bit counter without overlap, so two different coordinates never share a block.
/// </remarks>
public readonly record struct CounterRandom(ulong Seed)
{
    private const uint Multiplier0 = 0xD2511F53, Multiplier1 = 0xCD9E8D57;
    private const uint Weyl0 = 0x9E3779B9, Weyl1 = 0xBB67AE85;

    /// <summary>A uniform number in [0, 1) with 53 random bits.</summary>
    /// <param name="group">group ordinal, 0 .. 2^48 - 1</param>
    /// <param name="sibling">0 .. 65,535</param>
    /// <param name="step">0 .. 2^20 - 1</param>
    /// <param name="position">0 .. 2^24 - 1</param>
    /// <param name="draw">0 .. 255</param>
    public double Uniform(RandomStream stream, long group, int sibling = 0, int step = 0, int position = 0, int draw = 0) =>
        (Bits(stream, group, sibling, step, position, draw) >> 11) * (1.0 / (1UL << 53));

    /// <summary>A uniform integer in [0, bound), by the multiply-shift of 64 random bits.</summary>
    public int Below(int bound, RandomStream stream, long group, int sibling = 0, int step = 0, int position = 0, int draw = 0) =>
        (int)Math.BigMul(Bits(stream, group, sibling, step, position, draw), (ulong)bound, out _);

    /// <summary>A standard normal number (Box-Muller on draws 2*draw and 2*draw + 1).</summary>
    public double Normal(RandomStream stream, long group, int sibling = 0, int step = 0, int position = 0, int draw = 0)
    {
        // 1 - u lies in (0, 1], so the logarithm is finite.
        var radius = Math.Sqrt(-2 * Math.Log(1 - Uniform(stream, group, sibling, step, position, 2 * draw)));
        return radius * Math.Cos(2 * Math.PI * Uniform(stream, group, sibling, step, position, 2 * draw + 1));
    }

    /// <summary>64 random bits of one coordinate.</summary>
    /// <exception cref="ArgumentOutOfRangeException">a coordinate does not fit its field</exception>
    public ulong Bits(RandomStream stream, long group, int sibling = 0, int step = 0, int position = 0, int draw = 0)
    {
        if ((ulong)group >> 48 != 0 || (uint)sibling > 0xFFFF || (uint)step >> 20 != 0 || (uint)position >> 24 != 0 || (uint)draw > 0xFF)
        {
            throw new ArgumentOutOfRangeException(
                nameof(group), $"random coordinate (group {group}, sibling {sibling}, step {step}, position {position}, draw {draw}) does not fit its fields");
        }

        var (c0, c1, _, _) = Philox(
            (uint)group,
            (uint)(group >> 32) << 16 | (uint)sibling,
            (uint)step << 12 | (uint)stream,
            (uint)position << 8 | (uint)draw,
            (uint)Seed,
            (uint)(Seed >> 32));
        return (ulong)c1 << 32 | c0;
    }

    /// <summary>Ten rounds of Philox4x32 on one counter block.</summary>
    public static (uint C0, uint C1, uint C2, uint C3) Philox(uint c0, uint c1, uint c2, uint c3, uint k0, uint k1)
    {
        for (var round = 0; round < 10; round++)
        {
            var product0 = (ulong)Multiplier0 * c0;
            var product1 = (ulong)Multiplier1 * c2;
            (c0, c1, c2, c3) = ((uint)(product1 >> 32) ^ c1 ^ k0, (uint)product1, (uint)(product0 >> 32) ^ c3 ^ k1, (uint)product0);
            k0 += Weyl0;
            k1 += Weyl1;
        }

        return (c0, c1, c2, c3);
    }
}
