using Lateral.Rewards.Mathematics;
using Lateral.Rewards.Mathematics.Forms;

namespace Lateral.Rewards.Tests.Mathematics;

public sealed class FinalAnswerTests
{
    [Theory]
    [InlineData(@"\boxed{5}", "5")]
    [InlineData(@"so \boxed{3}, no: $\boxed{\frac{1}{2}}$.", @"\frac{1}{2}")]
    [InlineData(@"\fbox{5}", "5")]
    [InlineData(@"\boxed {5}", "5")]
    [InlineData(@"\boxed{\{1, 2\}}", @"\{1, 2\}")]
    [InlineData(@"\boxed{\left\{ x \right.}", @"\left\{ x \right.")]
    [InlineData(@"\boxed{\boxed{5}}", "5")]
    [InlineData(@"\boxed{}", "")]
    [InlineData(@"\boxed{5", null)]
    [InlineData(@"\boxed", null)]
    [InlineData("5", null)]
    [InlineData(@"\boxed{5} and \boxed{6", null)]
    public void Boxed_must_be_what_the_last_box_holds(string text, string? answer) => Assert.Equal(answer, FinalAnswer.Boxed(text));

    [Theory]
    [InlineData("<answer> 5\n</answer>", "5")]
    [InlineData("<answer>5</answer> <answer>6</answer> done", "6")]
    [InlineData("<answer>5</answer> <answer>6", "5")]
    [InlineData("<answer>5", null)]
    [InlineData("5</answer>", null)]
    [InlineData("<answer></answer>", "")]
    public void Tagged_must_be_what_stands_in_the_last_pair(string text, string? answer) => Assert.Equal(answer, FinalAnswer.Tagged(text));

    [Theory]
    [InlineData("#### 18", "18", "18")]
    [InlineData("#### 18\n#### 19", "18", "19")]
    [InlineData("####$1,234.50 in all", "$1,234.50", "$1,234.50")]
    [InlineData("#### -3", "-3", "-3")]
    [InlineData("It is 7.", null, "7.")]
    [InlineData("2 + 3 = 5 eggs", null, "5")]
    [InlineData("no number", null, null)]
    public void Gsm8k_s_rules_must_find_the_marked_and_the_last_number(string text, string? strict, string? flexible) =>
        Assert.Equal((strict, flexible), (FinalAnswer.Marked(text), FinalAnswer.LastNumber(text)));

    [Theory]
    [InlineData("The answer is 5.", "5")]
    [InlineData("The answer is: $\\frac12$. That is all.", @"$\frac12$")]
    [InlineData("answer is 3\nFinal Answer: 3.5", "3.5")]
    [InlineData("**Answer: 12**", "12")]
    [InlineData("The answer is\n5", null)]
    [InlineData("it is 5", null)]
    public void Stated_must_be_what_follows_the_last_statement(string text, string? answer) => Assert.Equal(answer, FinalAnswer.Stated(text));

    [Theory]
    [InlineData("1,000.0", "$1000", true)]
    [InlineData("18.", "18", true)]
    [InlineData("-3", "-3.00", true)]
    [InlineData("3", "-3", false)]
    [InlineData("0.1", "0.10000000000000000000000000001", false)]
    [InlineData("1.2.3", "1.2.3", true)]
    [InlineData("1.2.3", "1.23", false)]
    [InlineData("...", "", true)]
    public void Gsm8k_s_answers_must_be_compared_as_numbers(string a, string b, bool equal)
    {
        Assert.Equal(equal, Gsm8kAnswer.AreEqual(a, b));
        Assert.Equal(equal, Gsm8kAnswer.AreEqual(b, a));
    }
}
