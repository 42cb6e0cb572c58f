using System.Numerics;
using Lateral.Rewards.Arithmetic;

namespace Lateral.Rewards.Mathematics.Algebra;

/// <summary>Powers and roots in normal form. What is too large to be carried out, 2^(10^9) for example, stands for itself.</summary>
internal sealed class Powers(AtomTable atoms, NormalForm forms)
{
    /// <summary>A sum is multiplied out up to this exponent.</summary>
    private const int LargestOfSums = 64;

    public Ratio Of(Ratio number, Ratio exponent)
    {
        if (exponent.Constant is { } constant) return Of(number, constant);
        if (exponent.Denominator.IsOne && Positive(number) is { } bases) return Exponential(bases, exponent.Numerator);
        // a^(n+x) = a^n a^x, so that y^(x+1) is y y^x.
        var whole = exponent.Denominator.IsOne && exponent.Numerator.Terms.TryGetValue(Monomial.One, out var term) && term.IsInteger ? term : BigInteger.Zero;
        if (whole.Sign == 0) return Opaque(number, exponent);
        return forms.Times(Of(number, whole), Opaque(number, forms.Plus(exponent, NormalForm.Of(-whole))));
    }

    /// <summary>A positive number as a product of powers of primes, or a power of e or pi; null for anything else.</summary>
    private List<(Ratio Base, Rational Exponent)>? Positive(Ratio number)
    {
        if (number.Constant is { Sign: > 0 } constant)
        {
            return [.. Factors.Of(constant.Numerator, atoms.Budget).Select(factor => (NormalForm.Of(factor.Factor), (Rational)(BigInteger)factor.Exponent)),
                .. Factors.Of(constant.Denominator, atoms.Budget).Select(factor => (NormalForm.Of(factor.Factor), (Rational)(BigInteger)(-factor.Exponent)))];
        }

        if (!number.Denominator.IsOne || number.Numerator.Single is not var (monomial, coefficient) || coefficient != (Rational)BigInteger.One || monomial.Powers.Length != 1) return null;
        var (atom, exponent) = monomial.Powers[0];
        return atoms[atom] is Atom.Symbol { Name: "e" or "pi" } symbol ? [(forms.Atom(symbol), exponent)] : null;
    }

    /// <summary>b^(c x + d y) is (b^x)^c (b^y)^d of positive b, so that 9^x is (3^x)^2.</summary>
    private Ratio Exponential(List<(Ratio Base, Rational Exponent)> bases, Polynomial exponent)
    {
        var result = Ratio.One;
        foreach (var (number, power) in bases)
        {
            foreach (var (monomial, coefficient) in exponent.Terms)
            {
                var factor = coefficient * power;
                if (monomial.IsOne)
                {
                    result = forms.Times(result, Of(number, factor));
                    continue;
                }

                var atom = atoms.Of(new Atom.Function("^", [number, new(Polynomial.Of(monomial, BigInteger.One), Polynomial.One)]));
                var term = new Ratio(Polynomial.Of(Monomial.Of(atom, factor.Sign < 0 ? -factor : factor), BigInteger.One), Polynomial.One);
                result = forms.Times(result, factor.Sign < 0 ? forms.Inverse(term) : term);
            }
        }

        return result;
    }

    private Ratio Of(Ratio number, Rational exponent)
    {
        if (atoms.Budget.Spent) return Ratio.Zero;
        if (number.Numerator.IsZero)
        {
            // 0^0 and 0^-1 have no value.
            if (exponent.Sign <= 0) atoms.Budget.Exhaust();
            return Ratio.Zero;
        }

        if (exponent.Sign == 0) return Ratio.One;
        if (exponent.Sign < 0) return forms.Inverse(Of(number, -exponent));
        return exponent.IsInteger ? Whole(number, exponent.Numerator) : Root(number, exponent);
    }

    private Ratio Whole(Ratio number, BigInteger exponent)
    {
        if (Whole(number.Numerator, exponent) is { } over && Whole(number.Denominator, exponent) is { } under) return forms.Simplified(over, under);
        return Opaque(number, NormalForm.Of(exponent));
    }

    private Polynomial? Whole(Polynomial number, BigInteger exponent)
    {
        if (number.Single is not var (monomial, coefficient)) return exponent <= LargestOfSums ? atoms.ToThe(number, exponent) : null;
        if (exponent.GetBitLength() > 256 || atoms.Power(coefficient, exponent) is not { } power) return null;
        // A root's polynomial would be multiplied out.
        foreach (var (atom, _) in monomial.Powers)
            if (atoms[atom] is Atom.Root && exponent > LargestOfSums || atoms[atom] is Atom.Prime && exponent > Budget.MaxBits) return null;
        return atoms.Times(Polynomial.Of(Monomial.One, power), Reduced(monomial.ToThe(exponent)));
    }

    private Polynomial Reduced(Monomial monomial) => monomial.Powers.ToArray().Aggregate(Polynomial.One, (product, power) => atoms.Times(product, Reduced(power.Atom, power.Exponent)));

    /// <summary>A power of an atom under its rules: as the product of two powers, because a product is what applies them.</summary>
    private Polynomial Reduced(int atom, Rational exponent)
    {
        var half = new Rational(exponent.Numerator, exponent.Denominator * 2);
        return atoms.Times(Polynomial.Of(Monomial.Of(atom, half), BigInteger.One), Polynomial.Of(Monomial.Of(atom, half), BigInteger.One));
    }

    private Ratio Root(Ratio number, Rational exponent)
    {
        if (exponent.Numerator.GetBitLength() > 16 || exponent.Denominator.GetBitLength() > 16) return Opaque(number, NormalForm.Of(exponent));
        // The root of a quotient is the quotient of roots where the denominator is a positive number.
        if (!number.Denominator.IsOne && !(number.Denominator.Single is var (under, _) && IsPositive(under))) return Opaque(number, NormalForm.Of(exponent));
        var over = number.Numerator.Single is var (monomial, coefficient) ? RootOfTerm(monomial, coefficient, exponent) : RootOfSum(number.Numerator, exponent);
        if (over is null) return Opaque(number, NormalForm.Of(exponent));
        return number.Denominator.IsOne ? over : forms.Times(over, forms.Inverse(new(Reduced(number.Denominator.Single!.Value.Monomial.ToThe(exponent)), Polynomial.One)));
    }

    private Ratio? RootOfTerm(Monomial monomial, Rational coefficient, Rational exponent)
    {
        var positive = monomial.Where(atoms.IsPositive);
        var rest = monomial.Where(atom => !atoms.IsPositive(atom));
        var sign = coefficient.Sign;
        var size = sign < 0 ? -coefficient : coefficient;
        var result = forms.Times(RootOfNumber(size, exponent), new(Reduced(positive.ToThe(exponent)), Polynomial.One));
        if (rest.IsOne && sign < 0)
        {
            if (!exponent.Denominator.IsEven) return exponent.Numerator.IsEven ? result : NormalForm.Negated(result);
            return exponent.Denominator == 2 ? forms.Times(result, new(Reduced(AtomTable.Imaginary, exponent.Numerator), Polynomial.One)) : null;
        }

        if (rest.IsOne) return result;
        // x^(1/2) of a variable is a power of it; a root of anything else stands for itself.
        if (sign > 0 && rest.Powers.Length == 1 && rest.Powers[0].Exponent == (Rational)BigInteger.One && atoms[rest.Powers[0].Atom] is Atom.Symbol or Atom.Function) return forms.Times(result, new(Reduced(rest.ToThe(exponent)), Polynomial.One));
        return forms.Times(result, Root(Polynomial.Of(rest, (BigInteger)sign), exponent));
    }

    private Ratio RootOfNumber(Rational size, Rational exponent)
    {
        var result = Ratio.One;
        foreach (var (number, sign) in ((BigInteger Number, int Sign)[])[(size.Numerator, 1), (size.Denominator, -1)])
        {
            foreach (var (factor, count) in Factors.Of(number, atoms.Budget))
            {
                var power = new Ratio(Reduced(atoms.Of(new Atom.Prime(factor)), exponent * (Rational)(BigInteger)count), Polynomial.One);
                result = forms.Times(result, sign > 0 ? power : forms.Inverse(power));
            }
        }

        return result;
    }

    private Ratio RootOfSum(Polynomial sum, Rational exponent)
    {
        var content = sum.Content;
        var primitive = sum.Scaled(((Rational)BigInteger.One).DividedBy(content)!.Value);
        var root = exponent.Denominator == 2 && Denested(primitive) is { } plain ? Of(plain, exponent.Numerator) : Root(primitive, exponent);
        return forms.Times(RootOfNumber(content, exponent), root);
    }

    private Ratio Root(Polynomial primitive, Rational exponent) => new(Reduced(atoms.Of(new Atom.Root(primitive)), exponent), Polynomial.One);

    /// <summary>sqrt(a + b) with b^2 rational is sqrt((a+d)/2) + sgn(b) sqrt((a-d)/2), where a is positive and d^2 = a^2 - b^2 is the square of a rational number.</summary>
    private Ratio? Denested(Polynomial sum)
    {
        if (sum.Terms.Count != 2 || !sum.Terms.TryGetValue(Monomial.One, out var a) || a.Sign < 0) return null;
        var b = sum.Terms.Single(term => !term.Key.IsOne);
        if (!IsPositive(b.Key) || atoms.Times(Polynomial.Of(b.Key, b.Value), Polynomial.Of(b.Key, b.Value)).Constant is not { } squared) return null;
        var square = a * a - squared;
        if (Factors.Root(square.Numerator, 2) is not { } over || Factors.Root(square.Denominator, 2) is not { } under) return null;
        var (d, half) = (new Rational(over, under), new Rational(BigInteger.One, 2));
        var (first, second) = (Of(NormalForm.Of((a + d) * half), half), Of(NormalForm.Of((a - d) * half), half));
        return forms.Plus(first, b.Value.Sign > 0 ? second : NormalForm.Negated(second));
    }

    private bool IsPositive(Monomial monomial)
    {
        foreach (var (atom, _) in monomial.Powers)
            if (!atoms.IsPositive(atom)) return false;
        return true;
    }

    private Ratio Opaque(Ratio number, Ratio exponent) => forms.Atom(new Atom.Function("^", [number, exponent]));
}
