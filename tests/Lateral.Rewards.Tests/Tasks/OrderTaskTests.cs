using System.Globalization;
using Lateral.Core.Prompts;
using Lateral.Rewards.Tasks;

namespace Lateral.Rewards.Tests.Tasks;

public class OrderTaskTests
{
    private static readonly OrderTask Task = new(new OrderSettings(2, 512), 1);

    [Fact]
    public void Prompt_must_have_two_capitals_their_small_letters_and_two_digits()
    {
        for (var i = 0; i < 500; i++)
        {
            foreach (var item in new[] { Task.Train(i), Task.Corpus(i), Task.HeldOut(i) })
            {
                var capitals = item.Prompt.Where(char.IsAsciiLetterUpper).ToArray();
                Assert.Equal(("AB", "abcd"), (string.Concat(capitals.Order()), string.Concat(item.Prompt.Where(char.IsAsciiLetterLower).Order())));
                Assert.Equal((8, 2, item.Prompt), (item.Prompt.Length, item.Prompt.Count(char.IsAsciiDigit), item.Reference));
            }
        }
    }

    /// <summary>By hand: the n-th small letter from a = 0 stands for (digit + n) / 2 where n is even and (3 digit + n) / 2 where it is odd, modulo 10 before it is halved.</summary>
    [Fact]
    public void Every_answer_must_fit()
    {
        for (var i = 0; i < 500; i++)
        {
            foreach (var (sign, digit) in Task.Corpus(i).Prompt.Zip(Task.Corpus(i).Answer, (sign, digit) => (sign, digit - '0')))
            {
                if (char.IsAsciiDigit(sign)) Assert.Equal(sign - '0', digit);
                if (!char.IsAsciiLetterLower(sign)) continue;
                var n = sign - 'a';
                var free = Task.Corpus(i).Answer[Task.Corpus(i).Prompt.IndexOf((char)('A' + (n / 2)), StringComparison.Ordinal)] - '0';
                Assert.Equal((((n % 2 == 0 ? 1 : 3) * free) + n) % 10 / 2, digit);
            }
        }
    }

    [Fact]
    public void Capitals_must_have_every_digit_alike_and_small_letters_only_together_tell_which()
    {
        var digits = Enumerable.Range(0, 20_000).Select(i => Task.Corpus(i)).SelectMany(item => item.Prompt.Zip(item.Answer)).ToLookup(pair => pair.First, pair => pair.Second - '0');
        Assert.All(Enumerable.Range(0, 10), digit => Assert.InRange(digits['B'].Average(one => one == digit ? 1.0 : 0), .085, .115));
        Assert.All(Enumerable.Range(0, 5), digit => Assert.InRange(digits['c'].Average(one => one == digit ? 1.0 : 0), .18, .22));
        foreach (var capital in OrderSigns.Capitals)
        {
            var codes = Enumerable.Range(0, 10).Select(digit => string.Concat(OrderSigns.SmallOf(capital).Select(small => OrderSigns.Under(small, digit)))).ToArray();
            Assert.Equal(10, codes.Distinct().Count());
            Assert.All([0, 1], place => Assert.All(codes.CountBy(code => code[place]), pair => Assert.Equal(2, pair.Value)));
        }
    }

    [Fact]
    public void Positions_must_be_spread_and_held_out_prompts_never_trained_on()
    {
        var places = Enumerable.Range(0, 8000).Select(i => Task.Train(i).Prompt).CountBy(prompt => prompt.IndexOf('A', StringComparison.Ordinal)).ToDictionary();
        Assert.All(Enumerable.Range(0, 8), place => Assert.InRange(places[place], 880, 1120));
        ITask task = Task;
        var heldOut = Enumerable.Range(0, task.HeldOutCount).Select(i => task.HeldOut(i).Prompt).ToHashSet();
        Assert.Equal(512, heldOut.Count);
        for (var i = 0; i < 20_000; i++)
        {
            Assert.DoesNotContain(Task.Train(i).Prompt, heldOut);
            Assert.DoesNotContain(Task.Corpus(i).Prompt, heldOut);
        }
    }

    [Fact]
    public void Items_must_depend_on_seed_and_index_only()
    {
        var again = new OrderTask(new OrderSettings(2, 512), 1);
        var backwards = Enumerable.Range(0, 300).Reverse().Select(i => again.Corpus(i)).Reverse().ToArray();
        Assert.Equal(Enumerable.Range(0, 300).Select(i => Task.Corpus(i)), backwards);
        Assert.Equal("0123456789ABCDabcdefgh", Task.Alphabet);
        Assert.Equal(8, Task.GenLength);
        Assert.All(Task.HeldOut(0).Answer, digit => Assert.InRange(int.Parse($"{digit}", CultureInfo.InvariantCulture), 0, 9));
    }
}
