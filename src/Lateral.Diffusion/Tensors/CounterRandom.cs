using System.Text;

namespace Lateral.Diffusion.Tensors;

/// <summary>
/// Random numbers that are a pure function of a key and a counter (SplitMix64 with random access; Steele, Lea and Flood 2014), so that a
/// value depends on what it is for and never on which thread, device or batch row asked for it first.
/// </summary>
public readonly struct CounterRandom
{
    private const ulong Golden = 0x9E3779B97F4A7C15;
    private readonly ulong state;

    private CounterRandom(ulong state) => this.state = state;

    /// <summary>The generator of a seed; draw n equals output n of SplitMix64 seeded with it.</summary>
    public static CounterRandom FromSeed(ulong seed) => new(seed);

    /// <summary>An independent generator for one more coordinate: a stream, a step, a row, ...</summary>
    // State and coordinate pass through different mixers: equal small numbers must not cancel.
    public CounterRandom With(ulong coordinate) => new(Mix((state * 0xD1342543DE82EF95) + Scatter(coordinate)));

    /// <inheritdoc cref="With(ulong)"/>
    public CounterRandom With(long coordinate) => With((ulong)coordinate);

    /// <summary>An independent generator for a name: FNV-1a of its UTF-8 bytes is the coordinate.</summary>
    public CounterRandom With(string name)
    {
        var hash = 0xCBF29CE484222325UL;
        foreach (var octet in Encoding.UTF8.GetBytes(name)) hash = (hash ^ octet) * 0x100000001B3;
        return With(hash);
    }

    /// <summary>64 random bits of draw <paramref name="counter"/>.</summary>
    public ulong Bits(ulong counter) => Mix(state + ((counter + 1) * Golden));

    /// <summary>Uniform in [0, 1) with 53 random bits.</summary>
    public double Uniform(ulong counter) => (Bits(counter) >> 11) * (1.0 / (1UL << 53));

    /// <summary>Standard normal (Box-Muller on draws 2n and 2n+1).</summary>
    public double Normal(ulong counter) =>
        Math.Sqrt(-2 * Math.Log(1 - Uniform(2 * counter))) * Math.Cos(2 * Math.PI * Uniform((2 * counter) + 1));

    private static ulong Mix(ulong z)
    {
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
        return z ^ (z >> 31);
    }

    private static ulong Scatter(ulong z)
    {
        z = unchecked(z + Golden);
        z = (z ^ (z >> 33)) * 0xFF51AFD7ED558CCD;
        z = (z ^ (z >> 33)) * 0xC4CEB9FE1A85EC53;
        return z ^ (z >> 33);
    }
}
