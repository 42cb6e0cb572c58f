namespace Lateral.Simulation.Tests.Machine;

/// <summary>The only source of chance in a run (SplitMix64): the same seed throws the same.</summary>
internal sealed class Dice(ulong seed)
{
    private ulong _state = seed * 0x9E3779B97F4A7C15;

    public ulong Next() => Scramble(_state += 0x9E3779B97F4A7C15);

    /// <returns>in [0, <paramref name="count"/>)</returns>
    public int Below(int count) => (int)(Next() % (ulong)count);

    /// <returns>in [<paramref name="least"/>, <paramref name="most"/>]</returns>
    public int Between(int least, int most) => least + Below(most - least + 1);

    public TimeSpan Between(TimeSpan least, TimeSpan most) => least + TimeSpan.FromTicks((long)(Fraction() * (most - least).Ticks));

    public bool Chance(double probability) => probability > 0 && Fraction() < probability;

    public T OneOf<T>(params ReadOnlySpan<T> choices) => choices[Below(choices.Length)];

    public static ulong Scramble(ulong value)
    {
        value = (value ^ (value >> 30)) * 0xBF58476D1CE4E5B9;
        value = (value ^ (value >> 27)) * 0x94D049BB133111EB;
        return value ^ (value >> 31);
    }

    private double Fraction() => (Next() >> 11) * (1.0 / (1UL << 53));
}
