using System.Numerics;

namespace Lateral.Rewards.Mathematics.Algebra;

/// <summary>Whole numbers as products of powers.</summary>
internal static class Factors
{
    /// <summary>Primes up to this are looked for, so that numbers below its square are factored wholly.</summary>
    private const int Largest = 10_000;

    private const int MaxBits = 256;

    private static readonly int[] Primes = [.. Enumerable.Range(2, Largest).Where(number => Enumerable.Range(2, (int)Math.Sqrt(number) - 1).All(divisor => number % divisor != 0))];

    /// <summary>Its prime factors with their exponents; a factor that is too large to be factored stands as it is, or as its root.</summary>
    /// <param name="number">above zero</param>
    public static IReadOnlyList<(BigInteger Factor, int Exponent)> Of(BigInteger number, Budget budget)
    {
        var factors = new List<(BigInteger, int)>();
        if (number.GetBitLength() <= MaxBits && budget.Take(50))
        {
            foreach (var prime in Primes)
            {
                if (number < (BigInteger)prime * prime) break;
                var exponent = 0;
                for (; BigInteger.Remainder(number, prime).IsZero; exponent++) number /= prime;
                if (exponent > 0) factors.Add((prime, exponent));
            }
        }

        if (!number.IsOne) factors.Add(AsPower(number));
        return factors;
    }

    /// <summary>The whole root of a number that has one; null otherwise.</summary>
    public static BigInteger? Root(BigInteger number, int degree)
    {
        if (number.Sign < 0 || number.GetBitLength() > Budget.MaxBits) return null;
        if (number.IsZero || number.IsOne) return number;
        // Newton's method from above: it falls until it is there.
        var root = BigInteger.One << (int)(number.GetBitLength() / degree + 1);
        while (true)
        {
            var next = ((degree - 1) * root + number / BigInteger.Pow(root, degree - 1)) / degree;
            if (next >= root) break;
            root = next;
        }

        return BigInteger.Pow(root, degree) == number ? root : null;
    }

    private static (BigInteger, int) AsPower(BigInteger number)
    {
        if (number.GetBitLength() > MaxBits || number < (BigInteger)Largest * Largest) return (number, 1);
        foreach (var degree in (int[])[7, 6, 5, 4, 3, 2])
            if (Root(number, degree) is { } root) return (root, degree);
        return (number, 1);
    }
}
