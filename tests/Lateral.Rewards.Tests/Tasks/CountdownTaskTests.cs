using System.Numerics;
using Lateral.Core.Prompts;
using Lateral.Rewards.Arithmetic;
using Lateral.Rewards.Tasks;

namespace Lateral.Rewards.Tests.Tasks;

public class CountdownTaskTests
{
    private static readonly CountdownSettings Small = new(9, 99, "+-*/", 1024);
    private static readonly CountdownSettings D1 = new(100, 100, "+-*/", 256);

    public static TheoryData<CountdownSettings, int> Sizes => new() { { Small, 8 }, { Small with { MaxNumber = 99 }, 12 }, { D1, 16 } };

    [Theory]
    [MemberData(nameof(Sizes))]
    public void Answer_must_use_each_number_once_and_reach_the_target(CountdownSettings settings, int genLength)
    {
        var task = new CountdownTask(settings, 3);
        Assert.Equal(genLength, task.GenLength);
        foreach (var item in Enumerable.Range(0, 1500).SelectMany(i => new[] { task.Train(i), task.Corpus(i), task.HeldOut(i % task.HeldOutCount) }))
        {
            var (numbers, target) = CountdownText.ReadReference(item.Reference)!.Value;
            var expression = Assert.IsType<ParsedExpression.Tree>(ExpressionParser.Parse(item.Answer.TrimEnd('\n'))).Expression;
            Assert.Equal(numbers.Order().Select(n => new BigInteger(n)), expression.Numbers.Order());
            Assert.Equal(new BigInteger(target), expression.Value!.Value.Numerator);
            Assert.True(expression.Value.Value.IsInteger);

            Assert.Equal(genLength, item.Answer.Length);
            Assert.Equal('\n', item.Answer[^1]);
            Assert.Equal(15, item.Prompt.Length);
            Assert.InRange(target, 1, settings.MaxTarget);
            Assert.All(numbers, number => Assert.InRange(number, 1, settings.MaxNumber));
            Assert.All(item.Prompt + item.Answer, c => Assert.Contains(c, task.Alphabet));
        }
    }

    [Fact]
    public void Text_must_pad_prompts_and_round_trip_references()
    {
        Assert.Equal("030,100,007=023", CountdownText.Prompt([30, 100, 7], 23));
        Assert.Equal("30,100,7=23", CountdownText.Reference([30, 100, 7], 23));
        Assert.Equal([30, 100, 7], CountdownText.ReadReference("30,100,7=23")!.Value.Numbers);
        Assert.Equal(23, CountdownText.ReadReference("30,100,7=23")!.Value.Target);
        Assert.All(["", "=", "1,2=", "1,,2=3", "1,2=3=4", "1,2", "-1,2=3", "1,2=99999999999", "a,2=3"], text => Assert.Null(CountdownText.ReadReference(text)));
    }

    /// <summary>Permuted numbers are the same problem, so the sides are compared by sorted numbers and target.</summary>
    [Fact]
    public void Sides_must_share_no_problem_in_any_order_of_its_numbers()
    {
        var task = new CountdownTask(Small, 1);
        var heldOut = Enumerable.Range(0, task.HeldOutCount).Select(i => Problem(task.HeldOut(i))).ToHashSet();
        for (var i = 0; i < 20_000; i++)
        {
            Assert.DoesNotContain(Problem(task.Train(i)), heldOut);
            Assert.DoesNotContain(Problem(task.Corpus(i)), heldOut);
        }

        Assert.Equal(1024, Enumerable.Range(0, 1024).Select(i => task.HeldOut(i).Prompt).Distinct().Count());
    }

    [Fact]
    public void Operators_must_be_those_of_the_settings_and_all_of_them()
    {
        var all = new CountdownTask(Small, 1);
        var some = new CountdownTask(Small with { Operators = "+*", HeldOutPrompts = 256 }, 1);
        Assert.Equal("*+-/", Used(all));
        Assert.Equal("*+", Used(some));

        static string Used(ITask task) =>
            string.Concat(Enumerable.Range(0, 2000).SelectMany(i => task.Corpus(i).Answer).Where("+-*/".Contains).Distinct().Order());
    }

    [Fact]
    public void Items_must_depend_on_seed_and_index_only()
    {
        var (one, again, other) = (new CountdownTask(Small, 1), new CountdownTask(Small, 1), new CountdownTask(Small, 2));
        var backwards = Enumerable.Range(0, 200).Reverse().Select(i => again.Train(i)).Reverse().ToArray();
        Assert.Equal(Enumerable.Range(0, 200).Select(i => one.Train(i)), backwards);
        Assert.NotEqual(backwards, Enumerable.Range(0, 200).Select(i => other.Train(i)));
    }

    private static string Problem(TaskItem item)
    {
        var (numbers, target) = CountdownText.ReadReference(item.Reference)!.Value;
        return $"{string.Join(',', numbers.Order())}={target}";
    }
}
