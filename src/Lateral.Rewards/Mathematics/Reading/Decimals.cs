using System.Globalization;
using System.Numerics;
using Lateral.Rewards.Arithmetic;

namespace Lateral.Rewards.Mathematics.Reading;

/// <summary>Decimal numbers as exact fractions.</summary>
internal static class Decimals
{
    /// <summary>Digits read; a longer number is none.</summary>
    public const int MaxDigits = 1_000;

    /// <param name="text">digits with at most one point</param>
    /// <param name="shift">the exponent of ten behind it</param>
    /// <param name="repeated">the digits that repeat without end behind it; empty = none</param>
    public static Rational? Read(ReadOnlySpan<char> text, int shift = 0, string repeated = "")
    {
        var point = text.IndexOf('.');
        var digits = point < 0 ? text.ToString() : string.Concat(text[..point], text[(point + 1)..]);
        if (digits.Length is 0 or > MaxDigits || Math.Abs(shift) > MaxDigits || repeated.Length > MaxDigits || !digits.All(char.IsAsciiDigit) || !repeated.All(char.IsAsciiDigit)) return null;
        var places = point < 0 ? 0 : text.Length - point - 1;
        var number = new Rational(Whole(digits), Ten(places));
        // 0.1666... is 0.1 and 6/90.
        if (repeated.Length > 0) number += new Rational(Whole(repeated), Ten(places) * (Ten(repeated.Length) - 1));
        return number * (shift < 0 ? new Rational(BigInteger.One, Ten(-shift)) : (Rational)Ten(shift));
    }

    /// <summary>The same with a sign before it.</summary>
    public static Rational? ReadSigned(string text) => text.StartsWith('-') ? Read(text.AsSpan(1)) is { } number ? -number : null : Read(text);

    private static BigInteger Whole(string digits) => BigInteger.Parse(digits, NumberStyles.None, CultureInfo.InvariantCulture);

    private static BigInteger Ten(int exponent) => BigInteger.Pow(10, exponent);
}
