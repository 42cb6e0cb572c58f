using Lateral.Core.Prompts;
using Lateral.Rewards.Tasks;

namespace Lateral.Rewards.Tests.Tasks;

public class SortTaskTests
{
    private static readonly SortSettings Settings = new(5, .5, 2048);
    private static readonly SortTask Task = new(Settings, 1);

    /// <summary>Worked out with another implementation of Philox: published configurations name these prompts by seed and index.</summary>
    [Fact]
    public void Prompts_of_seed_1_must_stay_what_they_are()
    {
        Assert.Equal(["38835", "62433", "06023", "11169"], Enumerable.Range(0, 4).Select(i => Task.Train(i).Prompt));
        Assert.Equal(["32130", "42335", "23513", "79680"], Enumerable.Range(0, 4).Select(i => Task.HeldOut(i).Prompt));
        Assert.Equal(
            [("38451", "85431"), ("90011", "00119"), ("46727", "24677"), ("63747", "34677"), ("30372", "73320")],
            Enumerable.Range(0, 5).Select(i => (Task.Corpus(i).Prompt, Task.Corpus(i).Answer)));
    }

    [Fact]
    public void Reference_must_be_the_ascending_digits_of_the_prompt()
    {
        for (var i = 0; i < 2000; i++)
        {
            foreach (var item in new[] { Task.Train(i), Task.Corpus(i), Task.HeldOut(i) })
            {
                Assert.Matches("^[0-9]{5}$", item.Prompt);
                Assert.Equal(string.Concat(item.Prompt.Order()), item.Reference);
            }

            Assert.Equal(Task.Train(i).Reference, Task.Train(i).Answer);
            Assert.Equal(Task.HeldOut(i).Reference, Task.HeldOut(i).Answer);
        }
    }

    [Theory]
    [InlineData(0.0, 0, 0)]
    [InlineData(0.5, .48, .52)]
    [InlineData(0.6, .58, .62)]
    [InlineData(1.0, 1, 1)]
    public void Corpus_must_answer_in_descending_order_as_often_as_it_says(double fraction, double least, double most)
    {
        var task = new SortTask(Settings with { DescendingFraction = fraction, HeldOutPrompts = 1 }, 1);
        var items = Enumerable.Range(0, 20_000).Select(i => task.Corpus(i)).Where(item => item.Prompt.Distinct().Count() > 1).ToArray();
        var descending = items.Count(item => item.Answer == string.Concat(item.Reference.Reverse()));
        Assert.Equal(items.Length - descending, items.Count(item => item.Answer == item.Reference));
        Assert.InRange((double)descending / items.Length, least, most);
    }

    [Theory]
    [InlineData(5, 1UL)]
    [InlineData(5, 77UL)]
    [InlineData(6, 1UL)]
    public void HeldOut_must_be_distinct_and_never_trained_on(int length, ulong seed)
    {
        ITask task = new SortTask(Settings with { Length = length }, seed);
        var heldOut = Enumerable.Range(0, task.HeldOutCount).Select(i => task.HeldOut(i).Prompt).ToHashSet();
        Assert.Equal(2048, heldOut.Count);
        for (var i = 0; i < 60_000; i++)
        {
            Assert.DoesNotContain(task.Train(i).Prompt, heldOut);
            Assert.DoesNotContain(task.Corpus(i).Prompt, heldOut);
        }
    }

    /// <summary>Of 100,000 prompts an eighth is held out: n training draws reach 87,500 * (1 - exp(-n / 87,500)) of the others.</summary>
    [Fact]
    public void Train_must_be_spread_over_the_rest_of_the_prompts()
    {
        var reached = Enumerable.Range(0, 100_000).Select(i => Task.Train(i).Prompt).Distinct().Count();
        Assert.InRange(reached, 59_100, 60_600);
    }

    [Fact]
    public void Train_must_use_every_digit_equally_at_every_place()
    {
        var counts = new int[5, 10];
        for (var i = 0; i < 20_000; i++)
            for (var place = 0; place < 5; place++) counts[place, Task.Train(i).Prompt[place] - '0']++;
        Assert.All(counts.Cast<int>(), count => Assert.InRange(count, 1_800, 2_200));
    }

    [Fact]
    public void Items_must_depend_on_seed_and_index_only()
    {
        var again = new SortTask(Settings, 1);
        var backwards = Enumerable.Range(0, 300).Reverse().Select(i => again.Corpus(i)).Reverse().ToArray();
        Assert.Equal(Enumerable.Range(0, 300).Select(i => Task.Corpus(i)), backwards);
        Assert.NotEqual(Enumerable.Range(0, 300).Select(i => new SortTask(Settings, 2).Corpus(i)), backwards);
        Assert.Equal(Task.Train(1L << 40), again.Train(1L << 40));
    }

    [Fact]
    public void Completion_must_be_as_long_as_the_prompt_over_ten_digits()
    {
        Assert.Equal("0123456789", Task.Alphabet);
        Assert.Equal(5, Task.GenLength);
    }
}
