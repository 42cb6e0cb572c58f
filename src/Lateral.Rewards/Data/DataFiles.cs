using Lateral.Core.Prompts;
using Lateral.Rewards.Tasks;

namespace Lateral.Rewards.Data;

/// <summary>
/// Held-out prompts from a file in the form of the d1 test sets: <c>Puzzle,Solution</c> CSV for sudoku,
/// <c>{"input": "30,100,93", "output": "23"}</c> a line for countdown. Blank lines are skipped.
/// </summary>
/// <remarks>Nothing keeps such prompts out of training: d1's 500 sudoku puzzles have 229 of the 288 solutions that there are.</remarks>
public static class DataFiles
{
    /// <summary>The tasks that have a file form.</summary>
    public static IReadOnlyList<string> Tasks { get; } = ["sudoku", "countdown"];

    /// <summary>All rows, checked: a sudoku solution is legal and keeps its puzzle, a countdown target can be reached.</summary>
    /// <exception cref="DataException">the file is missing, empty or of another form, or a row is wrong; the first fault is reported</exception>
    public static IReadOnlyList<TaskItem> Read(string path, string taskName)
    {
        Func<IEnumerable<DataLine>, IEnumerable<TaskItem>> parse = taskName switch
        {
            "sudoku" => SudokuFile.Parse,
            "countdown" => CountdownFile.Parse,
            _ => throw new DataException(
                path, 0, 0, $"task '{taskName}' has no data file form", $"only {string.Join(" and ", Tasks)} read one", "evaluate on the task's own held-out prompts"),
        };
        TaskItem[] items = [.. parse(RowFile.Lines(path))];
        return items.Length > 0
            ? items
            : throw new DataException(path, 0, 0, "has no rows", "there is nothing to evaluate", "check that this is the file you mean");
    }
}
