using System.Numerics;
using CsCheck;
using Lateral.Rewards.Arithmetic;

namespace Lateral.Rewards.Tests.Arithmetic;

public class RationalTests
{
    private static readonly Gen<Rational> Any =
        Gen.Select(Gen.Int[-50, 50], Gen.Int[-50, 50].Where(d => d != 0), (n, d) => new Rational(n, d));

    [Theory]
    [InlineData(6, -4, "-3/2")]
    [InlineData(-6, -4, "3/2")]
    [InlineData(0, -7, "0")]
    [InlineData(12, 3, "4")]
    [InlineData(5, 1, "5")]
    public void Rational_must_be_in_lowest_terms_with_a_positive_denominator(int numerator, int denominator, string text) =>
        Assert.Equal(text, new Rational(numerator, denominator).ToString());

    [Fact]
    public void Rational_must_refuse_a_zero_denominator() =>
        Assert.Throws<DivideByZeroException>(() => new Rational(1, 0));

    [Fact]
    public void Operations_must_agree_with_cross_multiplied_fractions() =>
        Gen.Select(Any, Any).Sample((a, b) =>
        {
            Assert.Equal(new Rational(a.Numerator * b.Denominator + b.Numerator * a.Denominator, a.Denominator * b.Denominator), a + b);
            Assert.Equal(a, a + b - b);
            Assert.Equal(a, -(-a));
            Assert.Equal(a * b, b * a);
            if (b.Numerator.IsZero) Assert.Null(a.DividedBy(b));
            else Assert.Equal(a, a.DividedBy(b)!.Value * b);
        });

    [Fact]
    public void Results_must_stay_in_lowest_terms() =>
        Gen.Select(Any, Any).Sample((a, b) =>
            Assert.All(new[] { a + b, a - b, a * b, -a }, r =>
            {
                Assert.True(BigInteger.GreatestCommonDivisor(r.Numerator, r.Denominator).IsOne);
                Assert.Equal(1, r.Denominator.Sign);
            }));
}
