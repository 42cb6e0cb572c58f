using Lateral.Core.Prompts;
using Lateral.Rewards.Tasks;

namespace Lateral.Rewards.Tests.Tasks;

public class SudokuTaskTests
{
    private static readonly SudokuSettings Settings = new(4, 6, 1024);

    [Theory]
    [InlineData(4, 6)]
    [InlineData(7, 9)]
    [InlineData(15, 15)]
    public void Items_must_be_puzzles_with_one_solution_and_the_wanted_clues(int min, int max)
    {
        var task = new SudokuTask(new SudokuSettings(min, max, 16), 3);
        foreach (var item in Enumerable.Range(0, 300).SelectMany(i => new[] { task.Train(i), task.Corpus(i), task.HeldOut(i % 16) }))
        {
            Assert.True(SudokuGrid.IsSolution(item.Answer));
            Assert.Equal(item.Answer, item.Reference);
            Assert.Equal([item.Answer], SudokuGrid.Solutions.Where(solution => SudokuGrid.Keeps(item.Prompt, solution)));
            Assert.InRange(item.Prompt.Count(cell => cell != '0'), min, max);
            Assert.All(item.Prompt + item.Answer, cell => Assert.Contains(cell, task.Alphabet));
        }
    }

    [Theory]
    [InlineData(1UL)]
    [InlineData(2UL)]
    public void Split_must_be_by_solution(ulong seed)
    {
        var task = new SudokuTask(Settings, seed);
        var heldOut = Enumerable.Range(0, task.HeldOutCount).Select(i => task.HeldOut(i).Answer).ToHashSet();
        var trained = Enumerable.Range(0, 6000).SelectMany(i => new[] { task.Train(i).Answer, task.Corpus(i).Answer }).ToHashSet();
        Assert.Equal(36, heldOut.Count);
        Assert.Equal(288 - 36, trained.Count);
        Assert.Empty(heldOut.Intersect(trained));
    }

    [Fact]
    public void HeldOut_must_be_distinct_prompts()
    {
        var task = new SudokuTask(Settings, 1);
        Assert.Equal(1024, task.HeldOutCount);
        Assert.Equal(1024, Enumerable.Range(0, 1024).Select(i => task.HeldOut(i).Prompt).Distinct().Count());
    }

    /// <summary>Four clues seldom determine a grid; a count that was redrawn with the cells would be a tenth as frequent.</summary>
    [Fact]
    public void Clue_counts_must_be_equally_frequent()
    {
        var task = new SudokuTask(Settings, 5);
        var counts = Enumerable.Range(0, 3000).Select(i => task.Train(i).Prompt.Count(cell => cell != '0')).CountBy(clues => clues).ToDictionary();
        Assert.All([4, 5, 6], clues => Assert.InRange(counts[clues], 900, 1100));
    }

    [Fact]
    public void Items_must_depend_on_seed_and_index_only()
    {
        ITask one = new SudokuTask(Settings, 1), again = new SudokuTask(Settings, 1), other = new SudokuTask(Settings, 2);
        var late = again.Train(700);
        Assert.Equal(Enumerable.Range(0, 50).Select(i => one.Corpus(i)), Enumerable.Range(0, 50).Reverse().Select(i => again.Corpus(i)).Reverse());
        Assert.Equal(one.Train(700), late);
        Assert.NotEqual(one.Train(700), other.Train(700));
        Assert.NotEqual(one.Train(7), one.Corpus(7));
    }
}
