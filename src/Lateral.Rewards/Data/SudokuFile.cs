using Lateral.Core.Prompts;
using Lateral.Rewards.Tasks;

namespace Lateral.Rewards.Data;

/// <summary>Sudoku rows: <c>3102200002100320,3142243142131324</c> under the header <c>Puzzle,Solution</c>.</summary>
internal static class SudokuFile
{
    private const string Header = "Puzzle,Solution";

    public static IEnumerable<TaskItem> Parse(IEnumerable<DataLine> lines)
    {
        var header = true;
        foreach (var line in lines)
        {
            if (header && line.Text.Trim() != Header)
                throw line.Wrong(1, $"the columns are '{Shortened(line.Text.Trim())}'", $"sudoku data has '{Header}'", "rename or reorder the columns");
            if (!header) yield return Row(line);
            header = false;
        }
    }

    private static TaskItem Row(DataLine line)
    {
        if (line.Text.Split(',') is not [var puzzle, var solution])
            throw line.Wrong(1, $"has {line.Text.Count(c => c == ',') + 1} columns", $"'{Header}' has 2", "write one puzzle and one solution a line");
        solution = solution.TrimEnd();
        var second = puzzle.Length + 2;
        CheckCells(line, 1, "puzzle", puzzle, '0');
        CheckCells(line, second, "solution", solution, '1');
        if (!SudokuGrid.IsSolution(solution))
            throw line.Wrong(second, "the solution is not a legal grid", "a row, column or 2x2 box repeats a digit", "correct or remove the row");
        if (!SudokuGrid.Keeps(puzzle, solution))
        {
            var cell = Enumerable.Range(0, SudokuGrid.Cells).First(i => puzzle[i] != '0' && puzzle[i] != solution[i]);
            throw line.Wrong(
                second + cell, $"cell {cell + 1} of the solution is {solution[cell]}", $"the puzzle gives {puzzle[cell]} there", "correct or remove the row");
        }

        return new TaskItem(puzzle, solution, solution);
    }

    private static void CheckCells(DataLine line, int column, string what, string cells, char lowest)
    {
        if (cells.Length != SudokuGrid.Cells)
        {
            throw line.Wrong(
                column, $"the {what} has {cells.Length} characters", "a 4x4 grid has 16", "write blanks as 0 and keep leading zeros (spreadsheets drop them)");
        }

        for (var i = 0; i < cells.Length; i++)
        {
            if (cells[i] < lowest || cells[i] > '4')
                throw line.Wrong(column + i, $"the {what} has '{cells[i]}'", $"its cells are {lowest} to 4", "correct or remove the row");
        }
    }

    private static string Shortened(string text) => text.Length <= 40 ? text : text[..40] + "...";
}
