namespace Lateral.Rewards.Mathematics.Algebra;

/// <summary>A quotient of polynomials. It need not be in lowest terms: two are equal where the products across are.</summary>
internal sealed record Ratio(Polynomial Numerator, Polynomial Denominator)
{
    public static Ratio Zero { get; } = new(Polynomial.Zero, Polynomial.One);

    public static Ratio One { get; } = new(Polynomial.One, Polynomial.One);

    /// <summary>The number that it is; null where it holds an atom.</summary>
    public Arithmetic.Rational? Constant => Denominator.IsOne ? Numerator.Constant : null;
}

/// <summary>What stands for itself in a monomial.</summary>
internal abstract record Atom
{
    /// <summary>A variable or a constant with a name; <c>i</c>, <c>pi</c> and <c>e</c> are the numbers.</summary>
    public sealed record Symbol(string Name) : Atom;

    /// <summary>A positive whole number whose factors are not known, a prime nearly always; its exponents are below 1.</summary>
    public sealed record Prime(System.Numerics.BigInteger Number) : Atom;

    /// <summary>A polynomial under a root; its exponents are below 1.</summary>
    public sealed record Root(Polynomial Base) : Atom;

    /// <summary>A function's value that nothing more is known about, for example sin 10.</summary>
    public sealed record Function(string Name, IReadOnlyList<Ratio> Arguments) : Atom;
}
