using System.Diagnostics;
using CsCheck;
using Lateral.Rewards.Mathematics;
using Xunit.Abstractions;

namespace Lateral.Rewards.Tests.Mathematics;

/// <summary>Whatever a model writes ends soon, with a verdict. The deadline is far above what any of these takes, and fails where one does not end.</summary>
public sealed class HostileAnswerTests(ITestOutputHelper output)
{
    private static readonly TimeSpan Deadline = TimeSpan.FromMinutes(1);

    public static TheoryData<string> Answers() =>
    [
        new('{', 100_000),
        new('(', 1_900),
        new string('(', 900) + "1" + new string(')', 900),
        string.Concat(Enumerable.Repeat(@"\frac{1}{1+", 150)) + "x" + new string('}', 150),
        string.Concat(Enumerable.Repeat(@"3\frac{", 250)),
        string.Concat(Enumerable.Repeat(@"\sqrt{2+", 40)) + "x" + new string('}', 40),
        string.Concat(Enumerable.Repeat(@"\sqrt{2+", 20)) + "x" + new string('}', 20),
        "2^{10^9}",
        "2^{10^{10^{10}}}",
        "9^{9^{9^{9^{9}}}}",
        "(x+y+z+1)^{1000000}",
        "(a+b+c+d+f+g+h)^{40}",
        "((((x+1)^{60})^{60})^{60})^{60}",
        "(1+x)^{64}(1+y)^{64}(1+z)^{64}(1+w)^{64}",
        @"(\sqrt2+\sqrt3+\sqrt5+\sqrt7+\sqrt{11}+\sqrt{13}+\sqrt{17}+\sqrt{19})^{64}",
        "1000!^{1000!}",
        "((1000!)!)!",
        @"\binom{1000}{500}^{1000}",
        "1e999999999",
        "0." + new string('3', 1_900),
        new('9', 1_990),
        @"\sqrt{" + new string('7', 900) + "}",
        @"\sqrt[1000000]{2}",
        @"\sqrt[0]{2}",
        "0^{-1}",
        "x^{x^{x^{x^{x^{x}}}}}",
        string.Join('+', Enumerable.Range(1, 180).Select(i => $"1/(x+{i})")),
        string.Join(',', Enumerable.Range(1, 400)) + ",",
        string.Concat(Enumerable.Repeat(@"\pm 1", 300)),
        "1" + new string('!', 1_000),
        string.Concat(Enumerable.Repeat(@"\sin", 400)) + " x",
        string.Concat(Enumerable.Repeat("|", 1_000)),
        string.Concat(Enumerable.Repeat(@"\begin{pmatrix}", 100)),
        string.Concat(Enumerable.Repeat(@"\{", 600)),
        string.Concat(Enumerable.Repeat("x=", 900)) + "1",
        string.Concat(Enumerable.Repeat(@"\text{", 300)),
        "x_{" + new string('1', 1_000) + "}",
        "-" + new string('-', 1_500),
        "\0\u0001\ud800",
    ];

    [Theory]
    [MemberData(nameof(Answers))]
    public async Task Hostile_answer_must_get_a_verdict(string answer)
    {
        var clock = Stopwatch.StartNew();
        var verdict = await Task.Run(() =>
        {
            // Another spelling, so that it is not enough to compare texts.
            var read = MathAnswer.Read(answer);
            return (Itself: read.IsEqualTo(MathAnswer.Read(answer)), Other: read.IsEqualTo(MathAnswer.Read("17")), Longer: read.IsEqualTo(MathAnswer.Read($"0 + {answer}")));
        }).WaitAsync(Deadline);
        output.WriteLine($"{clock.Elapsed.TotalSeconds:0.000} s");
        Assert.True(verdict.Itself);
        Assert.False(verdict.Other);
    }

    [Fact]
    public async Task Set_of_costly_items_must_share_one_budget()
    {
        var items = Enumerable.Range(1, 80).Select(i => $"(a+b+c+{i})^{{20}}").ToArray();
        var verdict = await Task.Run(() => MathAnswer.AreEqual(string.Join(';', items), string.Join(';', items.Reverse()))).WaitAsync(Deadline);
        Assert.False(verdict);
    }

    [Fact]
    public async Task Hostile_completion_must_be_searched_in_linear_time()
    {
        string[] completions =
        [
            new('{', 1_000_000), @"\boxed{" + new string('{', 1_000_000), string.Concat(Enumerable.Repeat(@"\boxed{", 100_000)), string.Concat(Enumerable.Repeat("<answer>", 100_000)),
            string.Concat(Enumerable.Repeat("</answer><answer>", 50_000)), string.Concat(Enumerable.Repeat("#### ", 100_000)), new('1', 1_000_000), string.Concat(Enumerable.Repeat("answer is ", 20_000)), new('-', 1_000_000), string.Concat(Enumerable.Repeat(",.", 300_000)),
        ];
        await Task.Run(() =>
        {
            foreach (var text in completions) _ = (FinalAnswer.Boxed(text), FinalAnswer.Tagged(text), FinalAnswer.Marked(text), FinalAnswer.LastNumber(text), FinalAnswer.Stated(text));
        }).WaitAsync(Deadline);
    }

    [Fact]
    public void Any_text_must_equal_itself_and_equality_must_be_symmetric() =>
        Gen.Select(Texts, Texts).Sample((a, b) =>
        {
            Assert.True(MathAnswer.AreEqual(a, a));
            Assert.Equal(MathAnswer.AreEqual(a, b), MathAnswer.AreEqual(b, a));
        }, iter: 20_000);

    /// <summary>Arbitrary text, and pieces of LaTeX in any order.</summary>
    private static readonly Gen<string> Texts = Gen.OneOf(
        Gen.String,
        Gen.Int[0, 9].Array[1, 4].Select(digits => string.Concat(digits)),
        Pick(@"\frac", "{", "}", "1", "2", "x", "+", "-", "^", "_", @"\sqrt", "(", ")", "[", "]", ",", "=", "<", @"\pi", @"\text{ cm}", @"\%", " ", @"\cup", @"\pm", "i", "0", "/", "!", "|", @"\{", @"\}", ".", @"\infty", "and", "e", @"\sin").Array[1, 12].Select(string.Concat));

    private static Gen<string> Pick(params string[] pieces) => Gen.Int[0, pieces.Length - 1].Select(i => pieces[i]);
}
