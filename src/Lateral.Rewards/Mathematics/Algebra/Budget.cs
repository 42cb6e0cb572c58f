namespace Lateral.Rewards.Mathematics.Algebra;

/// <summary>
/// What a comparison may cost, so that no answer, however hostile, takes more than a fraction of a second. Work that finds it used up yields zeros, and whoever asked discards the result.
/// </summary>
/// <param name="units">a unit is about one product of two terms: a few microseconds</param>
internal sealed class Budget(long units)
{
    /// <summary>Bits of a numerator or denominator; a product that would have more is not formed. 2^2008, a published answer, has 2,009.</summary>
    public const int MaxBits = 20_000;

    /// <summary>Units of one comparison of two answers.</summary>
    public const long Usual = 50_000;

    private long _left = units;

    /// <summary>Something took more than there was, or has no value, as 1/0 has none.</summary>
    public bool Spent => _left < 0;

    /// <returns>whether there was enough</returns>
    public bool Take(long units)
    {
        _left -= units;
        return !Spent;
    }

    public void Exhaust() => _left = -1;
}
