using Lateral.Rewards.Tasks;

namespace Lateral.Rewards.Tests.Tasks;

public class SudokuGridTests
{
    private const string Solved = "1234341221434321";

    /// <summary>Brute force, another way: all 24^4 choices of four rows, kept where columns and boxes are permutations too.</summary>
    [Fact]
    public void Solutions_must_be_exactly_the_288_legal_grids()
    {
        string[] rows =
        [
            .. from a in "1234" from b in "1234" from c in "1234" from d in "1234"
               let row = $"{a}{b}{c}{d}" where row.Distinct().Count() == 4 select row,
        ];
        string[] legal =
        [
            .. from a in rows from b in rows
               where Permutation(a[..2] + b[..2]) && Permutation(a[2..] + b[2..])
               from c in rows from d in rows
               where Permutation(c[..2] + d[..2]) && Permutation(c[2..] + d[2..])
                   && Enumerable.Range(0, 4).All(i => Permutation($"{a[i]}{b[i]}{c[i]}{d[i]}"))
               select a + b + c + d,
        ];
        Assert.Equal(24, rows.Length);
        Assert.Equal(288, legal.Length);
        Assert.Equal(legal.Order(StringComparer.Ordinal), SudokuGrid.Solutions);
        Assert.All(legal, grid => Assert.True(SudokuGrid.IsSolution(grid)));
    }

    [Theory]
    [InlineData("1234341221434312")]
    [InlineData("1234123412341234")]
    [InlineData("123434122143432")]
    [InlineData("12343412214343211")]
    [InlineData("0234341221434321")]
    [InlineData("")]
    public void IsSolution_must_refuse_anything_else(string text) => Assert.False(SudokuGrid.IsSolution(text));

    [Theory]
    [InlineData("0000000000000000", 288)]
    [InlineData("1000000000000000", 72)]
    [InlineData("1234000000000000", 12)]
    [InlineData("1234340000000000", 6)]
    [InlineData("1234341221434320", 1)]
    [InlineData("1100000000000000", 0)]
    public void CountSolutions_must_match_counts_known_by_symmetry(string puzzle, int count) =>
        Assert.Equal(count, SudokuGrid.CountSolutions(puzzle));

    [Fact]
    public void CountSolutions_must_agree_with_keeping_the_clues_one_by_one()
    {
        for (var cells = 0; cells < 1 << 16; cells += 7)
        {
            var puzzle = string.Concat(Solved.Select((value, i) => (cells >> i & 1) == 0 ? '0' : value));
            Assert.Equal(SudokuGrid.Solutions.Count(solution => SudokuGrid.Keeps(puzzle, solution)), SudokuGrid.CountSolutions(puzzle));
        }
    }

    private static bool Permutation(string cells) => cells.Distinct().Count() == 4;
}
