using Lateral.Rewards.Arithmetic;

namespace Lateral.Rewards.Mathematics.Algebra;

/// <summary>A product of powers of atoms, for example 2^(1/2) x^3; exponents are above zero and in the order of the atoms' numbers.</summary>
internal readonly struct Monomial : IEquatable<Monomial>
{
    private readonly (int Atom, Rational Exponent)[]? _powers;

    private Monomial((int Atom, Rational Exponent)[] powers) => _powers = powers;

    public static Monomial One => default;

    public ReadOnlySpan<(int Atom, Rational Exponent)> Powers => _powers;

    public bool IsOne => Powers.IsEmpty;

    public static Monomial Of(int atom, Rational exponent) => exponent.Sign == 0 ? One : new([(atom, exponent)]);

    public Monomial Times(Monomial other)
    {
        if (IsOne) return other;
        if (other.IsOne) return this;
        var left = Powers;
        var right = other.Powers;
        var powers = new List<(int Atom, Rational Exponent)>(left.Length + right.Length);
        for (int i = 0, j = 0; i < left.Length || j < right.Length;)
        {
            if (j == right.Length || (i < left.Length && left[i].Atom < right[j].Atom)) powers.Add(left[i++]);
            else if (i == left.Length || right[j].Atom < left[i].Atom) powers.Add(right[j++]);
            else powers.Add((left[i].Atom, left[i++].Exponent + right[j++].Exponent));
        }

        return new([.. powers]);
    }

    /// <param name="exponent">above zero</param>
    public Monomial ToThe(Rational exponent) => new([.. (_powers ?? []).Select(power => (power.Atom, power.Exponent * exponent))]);

    public Monomial Without(int atom) => new([.. (_powers ?? []).Where(power => power.Atom != atom)]);

    public Monomial Where(Func<int, bool> keep) => new([.. (_powers ?? []).Where(power => keep(power.Atom))]);

    /// <summary>Zero where the atom is not in it.</summary>
    public Rational ExponentOf(int atom)
    {
        foreach (var (other, exponent) in Powers)
            if (other == atom) return exponent;
        return System.Numerics.BigInteger.Zero;
    }

    public bool Equals(Monomial other) => Powers.SequenceEqual(other.Powers);

    public override bool Equals(object? obj) => obj is Monomial other && Equals(other);

    public override int GetHashCode()
    {
        var hash = new HashCode();
        foreach (var power in Powers) hash.Add(power);
        return hash.ToHashCode();
    }
}
