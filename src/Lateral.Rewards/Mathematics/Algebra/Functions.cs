using System.Numerics;
using Lateral.Rewards.Arithmetic;

namespace Lateral.Rewards.Mathematics.Algebra;

/// <summary>Functions in normal form: by others where there is an identity, as numbers where they are, else as what they are called on.</summary>
internal sealed class Functions(AtomTable atoms, NormalForm forms)
{
    /// <summary>1000! has 8,530 bits.</summary>
    private const int LargestFactorial = 1_000;

    public Ratio Of(string name, IReadOnlyList<Ratio> arguments)
    {
        if (atoms.Budget.Spent) return Ratio.Zero;
        var x = arguments[^1];
        return name switch
        {
            "tan" => Quotient(Plain("sin", x), Plain("cos", x)),
            "cot" => Quotient(Plain("cos", x), Plain("sin", x)),
            "sec" => forms.Inverse(Plain("cos", x)),
            "csc" => forms.Inverse(Plain("sin", x)),
            "ln" or "log" when arguments.Count == 1 => Logarithm(name, x),
            // To a base that is told.
            "log" => Quotient(Logarithm("ln", x), Logarithm("ln", arguments[0])),
            "abs" when x.Constant is { } number => NormalForm.Of(number.Sign < 0 ? -number : number),
            "floor" when x.Constant is { } number => NormalForm.Of(number.Floor),
            "ceil" when x.Constant is { } number => NormalForm.Of(-(-number).Floor),
            "factorial" when Small(x) is { } n => NormalForm.Of(Falling(n, n)),
            "binom" when Small(arguments[0]) is { } n && Small(x) is { } k => NormalForm.Of(k > n ? BigInteger.Zero : Falling(n, k) / Falling(k, k)),
            _ => forms.Atom(new Atom.Function(name, arguments)),
        };
    }

    private Ratio Plain(string name, Ratio argument) => forms.Atom(new Atom.Function(name, [argument]));

    private Ratio Quotient(Ratio over, Ratio under) => forms.Times(over, forms.Inverse(under));

    /// <summary>Of a positive rational number the sum over its primes, because log ab = log a + log b.</summary>
    private Ratio Logarithm(string name, Ratio x)
    {
        if (name == "ln" && x.Denominator.IsOne && x.Numerator.Single is var (monomial, coefficient) && coefficient == (Rational)BigInteger.One && monomial.Powers.Length == 1 && atoms[monomial.Powers[0].Atom] is Atom.Symbol { Name: "e" })
            return NormalForm.Of(monomial.Powers[0].Exponent);
        if (x.Constant is not { Sign: > 0 } number) return Plain(name, x);
        var sum = Ratio.Zero;
        foreach (var (part, sign) in ((BigInteger Number, int Sign)[])[(number.Numerator, 1), (number.Denominator, -1)])
            foreach (var (factor, count) in Factors.Of(part, atoms.Budget))
                sum = forms.Plus(sum, forms.Times(NormalForm.Of((BigInteger)(sign * count)), Plain(name, NormalForm.Of(factor))));
        return sum;
    }

    private static int? Small(Ratio x) => x.Constant is { IsInteger: true, Sign: >= 0 } number && number.Numerator <= LargestFactorial ? (int)number.Numerator : null;

    /// <summary>n (n-1) ... (n-k+1).</summary>
    private BigInteger Falling(int n, int k)
    {
        if (!atoms.Budget.Take(k)) return BigInteger.One;
        return Enumerable.Range(n - k + 1, k).Aggregate(BigInteger.One, (product, factor) => product * factor);
    }
}
