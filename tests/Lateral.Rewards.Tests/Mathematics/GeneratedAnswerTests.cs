using System.Globalization;
using System.Numerics;
using CsCheck;
using Lateral.Rewards.Mathematics;
using Xunit.Abstractions;

namespace Lateral.Rewards.Tests.Mathematics;

/// <summary>Random formulas in two spellings are equal, and are no longer where one has 1 more.</summary>
public sealed class GeneratedAnswerTests(ITestOutputHelper output)
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
        // Squares of squares of long sums cost more than a comparison may, and are then decided by their spelling.
        Formulas.Where(pair => pair.First.Length < 250 && pair.Second.Length < 250).Sample(pair =>
        {
            Assert.True(MathAnswer.AreEqual(pair.First, pair.Second), $"{pair.First}  and  {pair.Second}");
            Assert.False(MathAnswer.AreEqual(pair.First, $"{pair.Second}+1"), $"{pair.First}  and one more");
            Interlocked.Increment(ref compared);
        }, iter: 1_000);
        Assert.True(compared >= 1_000);
    }

    /// <summary>A formula as text and in floating point, from so few numbers that values often meet by chance.</summary>
    private static readonly Gen<(string Text, Complex Value)> Numbers = Gen.Recursive<(string Text, Complex Value)>((depth, inner) => depth > 1 ? Small : Gen.OneOf(
        Small,
        Gen.Select(inner, inner).Select((a, b) => ($"({a.Text}+{b.Text})", a.Value + b.Value)),
        Gen.Select(inner, inner).Select((a, b) => ($"({a.Text}-{b.Text})", a.Value - b.Value)),
        Gen.Select(inner, inner).Select((a, b) => ($"{a.Text} \\cdot {b.Text}", a.Value * b.Value)),
        Gen.Select(inner, inner).Select((a, b) => b.Value.Magnitude < 1e-9 ? a : ($"\\frac{{{a.Text}}}{{{b.Text}}}", a.Value / b.Value)),
        inner.Select(a => ($"({a.Text})^2", a.Value * a.Value))));

    private static Gen<(string Text, Complex Value)> Small => Gen.OneOf(
        Gen.Int[0, 2].Select(n => ($"{n}", new Complex(n, 0))),
        Gen.OneOf(Gen.Int[2, 4], Gen.Const(6), Gen.Const(8)).Select(n => ($"\\sqrt{{{n}}}", Complex.Sqrt(n))),
        Gen.Select(Gen.Int[1, 2], Gen.Int[2, 4]).Select((a, b) => ($"\\tfrac{a}{b}", new Complex(a / (double)b, 0))),
        Gen.Const(("i", Complex.ImaginaryOne)),
        Gen.Const((@"\pi", new Complex(Math.PI, 0))),
        // Any values that no coincidence is likely at.
        Gen.Const(("x", new Complex(.8137206459, .2911))),
        Gen.Const(("y", new Complex(1.3290148653, 0))));

    [Fact]
    public void Formulas_must_be_equal_exactly_where_floating_point_cannot_tell_them_apart()
    {
        var (equal, different) = (0, 0);
        Numbers.Where(number => number.Value.Magnitude is > 1e-3 and < 1e4).Array[10].Sample(numbers =>
        {
            foreach (var (i, a) in numbers.Index())
            {
                foreach (var b in numbers.Skip(i + 1))
                {
                    var same = (a.Value - b.Value).Magnitude < 1e-9 * (1 + a.Value.Magnitude);
                    Assert.True(same == MathAnswer.AreEqual(a.Text, b.Text), $"{a.Text} is {a.Value}, {b.Text} is {b.Value}");
                    if (same) Interlocked.Increment(ref equal);
                    else Interlocked.Increment(ref different);
                }
            }
        }, iter: 600);
        output.WriteLine($"{equal} pairs equal, {different} different");
        Assert.True(equal > 70 && different > 20_000, $"{equal} equal, {different} different");
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
