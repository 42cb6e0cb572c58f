using System.Numerics;

namespace Lateral.Rewards.Arithmetic;

/// <summary>An exact fraction in lowest terms with a positive denominator: 6 / -4 is -3 / 2.</summary>
public readonly record struct Rational
{
    /// <exception cref="DivideByZeroException">the denominator is zero</exception>
    public Rational(BigInteger numerator, BigInteger denominator)
    {
        if (denominator.IsZero) throw new DivideByZeroException($"{numerator}/0 is not a number");
        var divisor = BigInteger.GreatestCommonDivisor(numerator, denominator) * denominator.Sign;
        (Numerator, Denominator) = (numerator / divisor, denominator / divisor);
    }

    public BigInteger Numerator { get; }

    public BigInteger Denominator { get; }

    public bool IsInteger => Denominator.IsOne;

    /// <summary>-1, 0 or 1.</summary>
    public int Sign => Numerator.Sign;

    /// <summary>The greatest integer that is not above it.</summary>
    public BigInteger Floor => BigInteger.DivRem(Numerator, Denominator) is var (quotient, rest) && rest.Sign < 0 ? quotient - 1 : BigInteger.Divide(Numerator, Denominator);

    public static implicit operator Rational(BigInteger integer) => new(integer, BigInteger.One);

    public static Rational operator +(Rational a, Rational b) =>
        new(a.Numerator * b.Denominator + b.Numerator * a.Denominator, a.Denominator * b.Denominator);

    public static Rational operator -(Rational a) => new(-a.Numerator, a.Denominator);

    public static Rational operator -(Rational a, Rational b) => a + -b;

    public static Rational operator *(Rational a, Rational b) => new(a.Numerator * b.Numerator, a.Denominator * b.Denominator);

    /// <summary>The quotient; null where <paramref name="divisor"/> is zero.</summary>
    public Rational? DividedBy(Rational divisor) =>
        divisor.Numerator.IsZero ? null : new Rational(Numerator * divisor.Denominator, Denominator * divisor.Numerator);

    public override string ToString() => IsInteger ? $"{Numerator}" : $"{Numerator}/{Denominator}";
}
