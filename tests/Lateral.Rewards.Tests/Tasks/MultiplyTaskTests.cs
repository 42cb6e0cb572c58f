using System.Globalization;
using Lateral.Core.Prompts;
using Lateral.Rewards.Tasks;

namespace Lateral.Rewards.Tests.Tasks;

public class MultiplyTaskTests
{
    private static readonly MultiplySettings Worked = new(2, 2, true, 256);

    public static TheoryData<MultiplySettings, int, int> Sizes => new()
    {
        { Worked, 6, 15 }, { Worked with { Thoughts = false }, 6, 5 }, { new MultiplySettings(1, 2, true, 64), 5, 12 }, { new MultiplySettings(4, 4, true, 256), 10, 45 },
    };

    [Theory]
    [MemberData(nameof(Sizes))]
    public void Answer_must_work_the_product_out_in_thoughts_of_one_length(MultiplySettings settings, int prompt, int genLength)
    {
        var task = new MultiplyTask(settings, 3);
        Assert.Equal(genLength, task.GenLength);
        Assert.Equal(0, genLength % settings.ThoughtLength);
        foreach (var item in Enumerable.Range(0, 500).SelectMany(i => new[] { task.Train(i), task.Corpus(i), task.HeldOut(i % task.HeldOutCount) }))
        {
            long[] numbers = [.. item.Prompt.TrimEnd('=').Split('*').Select(Number)];
            Assert.Equal((prompt, settings.LeftDigits, settings.RightDigits), (item.Prompt.Length, Digits(numbers[0]), Digits(numbers[1])));
            Assert.Equal(genLength, item.Answer.Length);
            Assert.All(item.Prompt + item.Answer, c => Assert.Contains(c, task.Alphabet));

            string[] parts = item.Answer.TrimEnd('.').Split(';');
            Assert.All(parts, part => Assert.Equal(settings.ThoughtLength - 1, part.Length));
            Assert.Equal(settings.Thoughts ? settings.RightDigits + 1 : 1, parts.Length);
            Assert.Equal(numbers[0] * numbers[1], Number(parts[^1]));
            if (settings.Thoughts) Assert.Equal(numbers[0] * numbers[1], parts[..^1].Sum(Number));
            Assert.Equal((parts[^1], parts[^1]), (item.Reference, task.FinalAnswer(item.Answer)));
        }
    }

    [Fact]
    public void Text_must_be_that_of_the_documentation()
    {
        Assert.Equal("12*34=", MultiplyText.Prompt(12, 34));
        Assert.Equal([48, 360], MultiplyText.PartialProducts(12, 34));
        Assert.Equal([0, 0, 1200], MultiplyText.PartialProducts(12, 100));
        Assert.Equal("0408", MultiplyText.Number(408, 4));
    }

    [Theory]
    [InlineData("0048;0360;0408.", "0408")]
    [InlineData("7.", "7")]
    [InlineData("0048;0360;", null)]
    [InlineData("0408", null)]
    [InlineData("04a8.", null)]
    [InlineData(".", null)]
    [InlineData("", null)]
    public void Final_answer_must_be_what_stands_behind_the_last_thought(string completion, string? answer) => Assert.Equal(answer, MultiplyText.FinalAnswer(completion));

    [Fact]
    public void Sides_must_share_no_pair_with_or_without_thoughts()
    {
        var (worked, bare) = (new MultiplyTask(Worked, 1), new MultiplyTask(Worked with { Thoughts = false }, 1));
        var heldOut = Enumerable.Range(0, worked.HeldOutCount).Select(i => worked.HeldOut(i).Prompt).ToHashSet();
        Assert.Equal(256, heldOut.Count);
        for (var i = 0; i < 20_000; i++) Assert.DoesNotContain(worked.Corpus(i).Prompt, heldOut);
        Assert.Equal(heldOut, Enumerable.Range(0, 256).Select(i => bare.HeldOut(i).Prompt).ToHashSet());
    }

    [Fact]
    public void Items_must_depend_on_seed_and_index_only()
    {
        var (one, again, other) = (new MultiplyTask(Worked, 1), new MultiplyTask(Worked, 1), new MultiplyTask(Worked, 2));
        var backwards = Enumerable.Range(0, 200).Reverse().Select(i => again.Train(i)).Reverse().ToArray();
        Assert.Equal(Enumerable.Range(0, 200).Select(i => one.Train(i)), backwards);
        Assert.NotEqual(backwards, Enumerable.Range(0, 200).Select(i => other.Train(i)));
    }

    private static long Number(string text) => long.Parse(text, CultureInfo.InvariantCulture);

    private static int Digits(long number) => number.ToString(CultureInfo.InvariantCulture).Length;
}
