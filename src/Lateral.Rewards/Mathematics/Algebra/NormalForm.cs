using System.Numerics;
using Lateral.Rewards.Arithmetic;
using Lateral.Rewards.Mathematics.Forms;

namespace Lateral.Rewards.Mathematics.Algebra;

/// <summary>
/// Formulas as quotients of polynomials over the rationals in atoms: variables, pi, e, i, roots of primes, roots of polynomials, functions' values. Every rewriting is an identity, so formulas of the same normal
/// form are equal; the other way round holds for rational functions of variables and for numbers made of whole roots, i and pi, not for every nested root or function.
/// </summary>
/// <remarks>
/// Readings: a root of odd degree of a negative number is the real one, as schools have it, and of degree 2 that of the positive one times i; what cancels is cancelled, so (x^2-1)/(x-1) is x+1.
/// No floating point is involved.
/// </remarks>
internal sealed class NormalForm
{
    private readonly AtomTable _atoms;
    private readonly Budget _budget;
    private readonly Powers _powers;
    private readonly Functions _functions;

    public NormalForm(Budget budget)
    {
        (_budget, _atoms) = (budget, new AtomTable(budget));
        _powers = new Powers(_atoms, this);
        _functions = new Functions(_atoms, this);
    }

    /// <summary>Meaningless where the budget is spent.</summary>
    public Ratio Of(Formula formula)
    {
        if (!_budget.Take(1)) return Ratio.Zero;
        return formula switch
        {
            Formula.Number number => Of(number.Value),
            Formula.Symbol symbol => Atom(new Atom.Symbol(symbol.Name)),
            Formula.Sum sum => sum.Terms.Select(Of).Aggregate(Plus),
            Formula.Product product => product.Factors.Select(Of).Aggregate(Times),
            Formula.Negation negation => Negated(Of(negation.Operand)),
            Formula.Quotient quotient => Times(Of(quotient.Over), Inverse(Of(quotient.Under))),
            Formula.Power power => _powers.Of(Of(power.Base), Of(power.Exponent)),
            Formula.Function function => _functions.Of(function.Name, [.. function.Arguments.Select(Of)]),
            _ => throw new NotSupportedException($"no normal form of {formula.GetType().Name}"),
        };
    }

    public bool Same(Formula a, Formula b) => Of(a) is var left && Of(b) is var right && !_budget.Spent && _atoms.Same(left, right);

    /// <summary>Whether one is the other times a rational number other than zero, as the sides of an equation may be multiplied by one.</summary>
    public bool Proportional(Formula a, Formula b, bool positive)
    {
        var (left, right) = (Of(a), Of(b));
        var (p, q) = (_atoms.Times(left.Numerator, right.Denominator), _atoms.Times(right.Numerator, left.Denominator));
        if (_budget.Spent) return false;
        if (p.IsZero || q.IsZero) return p.IsZero && q.IsZero;
        var (monomial, coefficient) = p.Terms.First();
        if (!q.Terms.TryGetValue(monomial, out var other)) return false;
        var factor = coefficient.DividedBy(other)!.Value;
        return (!positive || factor.Sign > 0) && p.Is(q.Scaled(factor));
    }

    public static Ratio Of(Rational number) => new(Polynomial.Of(number), Polynomial.One);

    public Ratio Atom(Atom atom) => new(Polynomial.Of(Monomial.Of(_atoms.Of(atom), BigInteger.One), BigInteger.One), Polynomial.One);

    public Ratio Plus(Ratio a, Ratio b) => a.Denominator.Is(b.Denominator)
        ? Simplified(a.Numerator.Plus(b.Numerator), a.Denominator)
        : Simplified(_atoms.Times(a.Numerator, b.Denominator).Plus(_atoms.Times(b.Numerator, a.Denominator)), _atoms.Times(a.Denominator, b.Denominator));

    public Ratio Times(Ratio a, Ratio b) => Simplified(_atoms.Times(a.Numerator, b.Numerator), _atoms.Times(a.Denominator, b.Denominator));

    public Ratio Inverse(Ratio ratio) => Simplified(ratio.Denominator, ratio.Numerator);

    public static Ratio Negated(Ratio ratio) => ratio with { Numerator = ratio.Numerator.Scaled(BigInteger.MinusOne) };

    /// <summary>Without a denominator where it is one term of numbers and roots, and without powers of an atom in a denominator of one term that all of the numerator has.</summary>
    public Ratio Simplified(Polynomial numerator, Polynomial denominator)
    {
        // A division by zero has no value, so there is nothing to compare.
        if (denominator.IsZero) _budget.Exhaust();
        if (_budget.Spent || numerator.IsZero) return Ratio.Zero;
        if (denominator.IsOne || denominator.Single is not var (monomial, coefficient)) return new(numerator, denominator);
        numerator = numerator.Scaled(((Rational)BigInteger.One).DividedBy(coefficient)!.Value);
        foreach (var (atom, exponent) in monomial.Powers)
        {
            // 1/p^r = p^(1-r)/p and 1/i = -i.
            if (_atoms[atom] is Atom.Prime prime) numerator = _atoms.Times(numerator, Polynomial.Of(Monomial.Of(atom, (Rational)BigInteger.One - exponent), new Rational(BigInteger.One, prime.Number)));
            else if (atom == AtomTable.Imaginary && exponent.IsInteger) numerator = _atoms.Times(numerator, Polynomial.Of(monomial.Where(other => other == atom), BigInteger.MinusOne));
            else continue;
            monomial = monomial.Without(atom);
        }

        foreach (var (atom, exponent) in monomial.Powers)
        {
            var common = numerator.Terms.Keys.Select(term => term.ExponentOf(atom)).Append(exponent).MinBy(power => power, Comparer<Rational>.Create((a, b) => (a - b).Sign));
            if (common.Sign == 0) continue;
            numerator = Polynomial.Of(numerator.Terms.Select(term => KeyValuePair.Create(term.Key.Without(atom).Times(Monomial.Of(atom, term.Key.ExponentOf(atom) - common)), term.Value)));
            monomial = monomial.Without(atom).Times(Monomial.Of(atom, exponent - common));
        }

        return new(numerator, Polynomial.Of(monomial, BigInteger.One));
    }
}
