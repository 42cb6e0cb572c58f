using System.Collections.Immutable;
using System.Numerics;
using Lateral.Rewards.Arithmetic;

namespace Lateral.Rewards.Mathematics.Forms;

/// <summary>A mathematical expression as it is written: <c>\frac{1+\sqrt5}{2}</c> is a quotient of a sum and a number.</summary>
internal abstract record Formula
{
    public sealed record Number(Rational Value) : Formula;

    /// <summary>A variable or a constant; <c>i</c>, <c>pi</c> and <c>e</c> are the numbers.</summary>
    public sealed record Symbol(string Name) : Formula;

    public sealed record Sum(ImmutableArray<Formula> Terms) : Formula;

    public sealed record Product(ImmutableArray<Formula> Factors) : Formula;

    public sealed record Negation(Formula Operand) : Formula;

    public sealed record Quotient(Formula Over, Formula Under) : Formula;

    public sealed record Power(Formula Base, Formula Exponent) : Formula;

    /// <param name="Name">as in LaTeX, without the backslash</param>
    public sealed record Function(string Name, ImmutableArray<Formula> Arguments) : Formula;

    public static Formula Whole(BigInteger number) => new Number(number);

    public static Formula Root(Formula of, Formula degree) => new Power(of, new Quotient(Whole(1), degree));
}
