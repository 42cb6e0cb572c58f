using System.Numerics;
using Lateral.Rewards.Arithmetic;

namespace Lateral.Rewards.Mathematics.Algebra;

/// <summary>
/// The atoms of one comparison, and products under their rules: i^2 = -1, (p^(1/n))^n = p. Products of different primes' roots are linearly independent over the rationals
/// (Besicovitch, J. London Math. Soc. 15, 1940), so numbers of them are equal exactly where their terms are.
/// </summary>
internal sealed class AtomTable(Budget budget)
{
    private readonly List<Atom> _atoms = [new Atom.Symbol("i")];

    public Budget Budget => budget;

    public static int Imaginary => 0;

    public Atom this[int atom] => _atoms[atom];

    public int Of(Atom atom)
    {
        for (var i = 0; i < _atoms.Count; i++)
            if (Is(_atoms[i], atom)) return i;
        _atoms.Add(atom);
        return _atoms.Count - 1;
    }

    /// <summary>Whether it is a number above zero, so that a root of a product is the product of roots.</summary>
    public bool IsPositive(int atom) => _atoms[atom] is Atom.Prime or Atom.Symbol { Name: "pi" or "e" };

    public Polynomial Times(Polynomial a, Polynomial b)
    {
        if (a.IsOne) return b;
        if (b.IsOne) return a;
        var terms = new List<KeyValuePair<Monomial, Rational>>();
        foreach (var (left, c) in a.Terms)
        {
            foreach (var (right, d) in b.Terms)
            {
                if (!Affordable(c, d)) return Polynomial.Zero;
                terms.AddRange(Reduced(left.Times(right), c * d).Terms);
                if (budget.Spent) return Polynomial.Zero;
            }
        }

        return Polynomial.Of(terms);
    }

    public Polynomial ToThe(Polynomial number, BigInteger exponent)
    {
        var (result, square) = (Polynomial.One, number);
        for (; exponent > 0 && !budget.Spent; exponent >>= 1)
        {
            if (!exponent.IsEven) result = Times(result, square);
            if (exponent > 1) square = Times(square, square);
        }

        return budget.Spent ? Polynomial.Zero : result;
    }

    public bool Same(Ratio a, Ratio b) => Times(a.Numerator, b.Denominator) is var left && Times(b.Numerator, a.Denominator) is var right && !budget.Spent && left.Is(right);

    /// <summary>A number to a power, or nothing where it would be too long.</summary>
    /// <param name="exponent">not below zero</param>
    public Rational? Power(Rational number, BigInteger exponent)
    {
        var sign = exponent.IsEven ? BigInteger.One : number.Sign;
        var size = BigInteger.Abs(number.Numerator);
        if (size.IsOne && number.IsInteger) return sign;
        if (exponent > Budget.MaxBits || Math.Max(size.GetBitLength(), number.Denominator.GetBitLength()) * exponent > Budget.MaxBits) return null;
        return new Rational(BigInteger.Pow(size, (int)exponent) * sign, BigInteger.Pow(number.Denominator, (int)exponent));
    }

    private bool Affordable(Rational a, Rational b)
    {
        var words = 1 + (a.Numerator.GetBitLength() + a.Denominator.GetBitLength() + b.Numerator.GetBitLength() + b.Denominator.GetBitLength()) / 64;
        if (words > Budget.MaxBits / 16) budget.Exhaust();
        return budget.Take(1 + words * words / 16);
    }

    /// <summary>A term with the powers carried out that are numbers or polynomials.</summary>
    private Polynomial Reduced(Monomial monomial, Rational coefficient)
    {
        var expanded = new List<(Polynomial Base, BigInteger Exponent)>();
        foreach (var (atom, exponent) in monomial.Powers)
        {
            var whole = _atoms[atom] switch
            {
                Atom.Prime or Atom.Root => exponent.Floor,
                Atom.Symbol when atom == Imaginary => exponent.Floor / 2 * 2,
                _ => BigInteger.Zero,
            };
            if (whole.IsZero) continue;
            monomial = monomial.Without(atom).Times(Monomial.Of(atom, exponent - whole));
            switch (_atoms[atom])
            {
                case Atom.Prime prime when Power(prime.Number, whole) is { } power && Affordable(coefficient, power):
                    coefficient *= power;
                    break;
                case Atom.Root root:
                    expanded.Add((root.Base, whole));
                    break;
                case Atom.Symbol:
                    if (!(whole / 2).IsEven) coefficient = -coefficient;
                    break;
                default:
                    budget.Exhaust();
                    break;
            }
        }

        return expanded.Aggregate(Polynomial.Of(monomial, coefficient), (product, factor) => Times(product, ToThe(factor.Base, factor.Exponent)));
    }

    private bool Is(Atom a, Atom b) => (a, b) switch
    {
        (Atom.Root left, Atom.Root right) => left.Base.Is(right.Base),
        (Atom.Function left, Atom.Function right) => left.Name == right.Name && left.Arguments.Count == right.Arguments.Count && left.Arguments.Zip(right.Arguments).All(pair => Same(pair.First, pair.Second)),
        _ => a == b,
    };
}
