using Lateral.Core.Prompts;
using Lateral.Rewards.Tasks;

namespace Lateral.Rewards.Tests.Tasks;

public class SerialTaskTests
{
    private static readonly SerialTask Task = new(new SerialSettings(8, true, 512), 1);

    /// <summary>By hand: a swaps 0 and 1, b 0 and 2, c 0 and 3, d 0 and 4, e 1 and 2, f 1 and 3, g 1 and 4, h 2 and 3, i 2 and 4, j 3 and 4.</summary>
    [Theory]
    [InlineData("0cec", "330")]
    [InlineData("0abcdefghij", "1111222334")]
    [InlineData("4j", "3")]
    [InlineData("2aaa", "222")]
    public void Ball_must_move_with_its_cup(string prompt, string places) => Assert.Equal(places, CupSwaps.Follow(prompt));

    [Fact]
    public void Answer_must_hold_every_place_or_the_last_alone()
    {
        var last = new SerialTask(new SerialSettings(8, false, 512), 1);
        Assert.Equal((8, 1), (Task.GenLength, last.GenLength));
        for (var i = 0; i < 500; i++)
        {
            foreach (var (worked, alone) in new[] { (Task.Train(i), last.Train(i)), (Task.Corpus(i), last.Corpus(i)), (Task.HeldOut(i), last.HeldOut(i)) })
            {
                Assert.Matches("^[0-4][a-j]{8}$", worked.Prompt);
                Assert.Equal((worked.Prompt, CupSwaps.Follow(worked.Prompt)), (alone.Prompt, worked.Answer));
                Assert.Equal((worked.Answer[^1..], worked.Answer[^1..], worked.Answer[^1..]), (alone.Answer, worked.Reference, Task.FinalAnswer(worked.Answer)));
            }
        }
    }

    [Fact]
    public void Every_cup_must_be_as_likely_at_the_end_and_held_out_prompts_never_trained_on()
    {
        var ends = Enumerable.Range(0, 10_000).Select(i => Task.Train(i)).CountBy(item => item.Reference).ToDictionary();
        Assert.All(CupSwaps.Cups, cup => Assert.InRange(ends[$"{cup}"], 1850, 2150));
        ITask task = Task;
        var heldOut = Enumerable.Range(0, task.HeldOutCount).Select(i => task.HeldOut(i).Prompt).ToHashSet();
        Assert.Equal(512, heldOut.Count);
        for (var i = 0; i < 20_000; i++)
        {
            Assert.DoesNotContain(Task.Train(i).Prompt, heldOut);
            Assert.DoesNotContain(Task.Corpus(i).Prompt, heldOut);
        }

        Assert.Null(Task.FinalAnswer(""));
    }

    [Fact]
    public void Items_must_depend_on_seed_and_index_only()
    {
        var again = new SerialTask(new SerialSettings(8, true, 512), 1);
        var backwards = Enumerable.Range(0, 300).Reverse().Select(i => again.Corpus(i)).Reverse().ToArray();
        Assert.Equal(Enumerable.Range(0, 300).Select(i => Task.Corpus(i)), backwards);
        Assert.Equal("01234abcdefghij", Task.Alphabet);
    }
}
