using System.Numerics;
using Lateral.Rewards.Arithmetic;

namespace Lateral.Rewards.Mathematics.Algebra;

/// <summary>A sum of monomials with rational coefficients, none of them zero. Products need the atoms' rules: <see cref="AtomTable"/>.</summary>
internal sealed class Polynomial
{
    private readonly Dictionary<Monomial, Rational> _terms;

    private Polynomial(Dictionary<Monomial, Rational> terms) => _terms = terms;

    public static Polynomial Zero { get; } = new([]);

    public static Polynomial One { get; } = Of(Monomial.One, BigInteger.One);

    public IReadOnlyDictionary<Monomial, Rational> Terms => _terms;

    public bool IsZero => _terms.Count == 0;

    public bool IsOne => Constant == (Rational)BigInteger.One;

    /// <summary>The number that it is; null where it holds an atom.</summary>
    public Rational? Constant => IsZero ? BigInteger.Zero : Single is { Monomial.IsOne: true } term ? term.Coefficient : null;

    /// <summary>Its only term; null where it has none or several.</summary>
    public (Monomial Monomial, Rational Coefficient)? Single => _terms.Count == 1 && _terms.First() is var (monomial, coefficient) ? (monomial, coefficient) : null;

    public static Polynomial Of(Monomial monomial, Rational coefficient) => coefficient.Sign == 0 ? Zero : new(new() { [monomial] = coefficient });

    public static Polynomial Of(Rational number) => Of(Monomial.One, number);

    /// <summary>The sum of terms, like ones put together.</summary>
    public static Polynomial Of(IEnumerable<KeyValuePair<Monomial, Rational>> terms)
    {
        var sum = new Dictionary<Monomial, Rational>();
        foreach (var (monomial, coefficient) in terms) sum[monomial] = sum.TryGetValue(monomial, out var other) ? other + coefficient : coefficient;
        foreach (var (monomial, coefficient) in sum)
            if (coefficient.Sign == 0) sum.Remove(monomial);
        return new(sum);
    }

    public Polynomial Plus(Polynomial other) => other.IsZero ? this : IsZero ? other : Of(_terms.Concat(other._terms));

    public Polynomial Scaled(Rational factor) => factor.Sign == 0 ? Zero : new(_terms.ToDictionary(term => term.Key, term => term.Value * factor));

    public bool Is(Polynomial other) => _terms.Count == other._terms.Count && _terms.All(term => other._terms.TryGetValue(term.Key, out var coefficient) && coefficient == term.Value);

    /// <summary>The greatest positive number by which all coefficients can be divided so that whole ones are left.</summary>
    public Rational Content
    {
        get
        {
            var (divisor, multiple) = (BigInteger.Zero, BigInteger.One);
            foreach (var coefficient in _terms.Values)
            {
                divisor = BigInteger.GreatestCommonDivisor(divisor, coefficient.Numerator);
                multiple *= coefficient.Denominator / BigInteger.GreatestCommonDivisor(multiple, coefficient.Denominator);
            }

            return new Rational(divisor, multiple);
        }
    }
}
