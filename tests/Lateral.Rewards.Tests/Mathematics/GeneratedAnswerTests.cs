using System.Globalization;
using CsCheck;
using Lateral.Rewards.Mathematics;

namespace Lateral.Rewards.Tests.Mathematics;

/// <summary>Random formulas in two spellings are equal, and are no longer where one has 1 more.</summary>
public sealed class GeneratedAnswerTests
{
    /// <summary>A formula, as two writers spell it.</summary>
    private sealed record Pair(string First, string Second)
    {
        public static Pair Of(string text) => new(text, text);
    }

    private static readonly Gen<Pair> Leaves = Gen.OneOf(
        Gen.Int[0, 99].Select(n => Pair.Of(n.ToString(CultureInfo.InvariantCulture))),
        Gen.Select(Gen.Int[1, 99], Gen.Int[1, 99]).Select((a, b) => new Pair($"\\frac{{{a}}}{{{b}}}", $"({a}/{b})")),
        Gen.Select(Gen.Int[0, 20], Gen.Int[0, 99]).Select((a, b) => new Pair(FormattableString.Invariant($"{a}.{b:00}"), $"\\dfrac{{{a * 100 + b}}}{{100}}")),
        Gen.Int[2, 60].Select(n => new Pair($"\\sqrt{{{n}}}", $"\\frac{{{n}}}{{\\sqrt{{{n}}}}}")),
        Gen.Int[2, 9].Select(n => new Pair($"\\sqrt[3]{{{n}}}", $"({n}^{{2/3}})/{n}^{{1/3}}")),
        Gen.OneOf(Gen.Const(new Pair(@"\pi", "π")), Gen.Const(Pair.Of("x")), Gen.Const(Pair.Of("y")), Gen.Const(new Pair("i", "(-1/i)"))));

    private static readonly Gen<Pair> Formulas = Gen.Recursive<Pair>((depth, inner) => depth > 4 ? Leaves : Gen.OneOf(
        Leaves,
        Gen.Select(inner, inner).Select((a, b) => new Pair($"({a.First} + {b.First})", $"({b.Second}+{a.Second})")),
        Gen.Select(inner, inner).Select((a, b) => new Pair($"({a.First} - {b.First})", $"-\\left({b.Second}-{a.Second}\\right)")).Select(pair => pair with { Second = $"({pair.Second})" }),
        Gen.Select(inner, inner).Select((a, b) => new Pair($"{a.First} \\cdot {b.First}", $"({b.Second})({a.Second})")),
        Gen.Select(inner, inner, inner).Select((a, b, c) => new Pair($"({a.First})({b.First} + {c.First})", $"(({a.Second})({b.Second}) + ({a.Second})({c.Second}))")),
        Gen.Select(inner, inner).Select((a, b) => new Pair($"({a.First}+{b.First})^2", $"(({a.Second})^2+2({a.Second})({b.Second})+({b.Second})^{{2}})")),
        inner.Select(a => new Pair($"\\frac{{{a.First}}}{{x+3}}", $"({a.Second})/(3+x)"))));

    [Fact]
    public void Formula_must_equal_its_other_spelling_and_nothing_that_is_one_more()
    {
        var compared = 0;
        Formulas.Where(pair => pair.First.Length < 700 && pair.Second.Length < 700).Sample(pair =>
        {
            Assert.True(MathAnswer.AreEqual(pair.First, pair.Second), $"{pair.First}  and  {pair.Second}");
            Assert.False(MathAnswer.AreEqual(pair.First, $"{pair.Second}+1"), $"{pair.First}  and one more");
            Interlocked.Increment(ref compared);
        }, iter: 1_000);
        Assert.True(compared >= 1_000);
    }

    [Fact]
    public void Lists_must_be_equal_in_any_order_and_points_in_one() =>
        Gen.Select(Gen.Int[-50, 50].Array[2, 6].Where(items => items.Distinct().Count() == items.Length), Gen.Int[0, 1_000]).Sample((items, turn) =>
        {
            var turned = items.Skip(turn % items.Length).Concat(items.Take(turn % items.Length)).ToArray();
            Assert.True(MathAnswer.AreEqual(string.Join(", ", items), $"\\{{{string.Join(',', turned)}\\}}"));
            Assert.Equal(items.SequenceEqual(turned), MathAnswer.AreEqual($"({string.Join(", ", items)})", $"({string.Join(',', turned)})"));
            Assert.False(MathAnswer.AreEqual(string.Join(", ", items), string.Join(", ", items.Append(51))));
        }, iter: 1_000);
}
