using System.Collections.Immutable;

namespace Lateral.Rewards.Tasks;

/// <summary>4x4 sudoku grids as 16 characters, row by row, 0 = blank: <c>3102200002100320</c>.</summary>
public static class SudokuGrid
{
    public const int Cells = 16;

    /// <summary>All 288 solved grids in ascending order.</summary>
    public static ImmutableArray<string> Solutions { get; } = [.. Complete(new string('0', Cells), 0)];

    // Two bits a cell, so that comparing a puzzle with a solution is one masked equality.
    private static readonly ImmutableArray<uint> Packed = [.. Solutions.Select(Pack)];

    /// <summary>Whether the text is 16 cells of 0 .. 4.</summary>
    public static bool IsPuzzle(string text) => text.Length == Cells && text.All(cell => cell is >= '0' and <= '4');

    /// <summary>Whether every row, column and 2x2 box holds 1, 2, 3 and 4.</summary>
    public static bool IsSolution(string text) => Solutions.BinarySearch(text, StringComparer.Ordinal) >= 0;

    /// <summary>Whether the solution keeps every given cell of the puzzle.</summary>
    public static bool Keeps(string puzzle, string solution) => puzzle.Zip(solution).All(cell => cell.First is '0' || cell.First == cell.Second);

    /// <summary>How many of the 288 solved grids keep the puzzle's given cells.</summary>
    public static int CountSolutions(string puzzle)
    {
        var given = 0u;
        for (var i = 0; i < Cells; i++)
            if (puzzle[i] != '0') given |= 3u << 2 * i;
        var clues = Pack(puzzle) & given;
        var count = 0;
        foreach (var solution in Packed)
            if ((solution & given) == clues) count++;
        return count;
    }

    private static uint Pack(string grid)
    {
        var packed = 0u;
        for (var i = 0; i < Cells; i++) packed |= (uint)(grid[i] - '1' & 3) << 2 * i;
        return packed;
    }

    private static IEnumerable<string> Complete(string grid, int cell)
    {
        if (cell == Cells) return [grid];
        return "1234"
            .Where(value => !Enumerable.Range(0, cell).Any(other => grid[other] == value && SeeEachOther(cell, other)))
            .SelectMany(value => Complete(string.Concat(grid.AsSpan(0, cell), [value], grid.AsSpan(cell + 1)), cell + 1));
    }

    private static bool SeeEachOther(int a, int b) =>
        a / 4 == b / 4 || a % 4 == b % 4 || (a / 8 == b / 8 && a % 4 / 2 == b % 4 / 2);
}
