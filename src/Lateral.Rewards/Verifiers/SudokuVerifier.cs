using Lateral.Core.Rewards;
using Lateral.Rewards.Tasks;

namespace Lateral.Rewards.Verifiers;

/// <summary>
/// The fraction of the puzzle's blank cells that agree with the reference (d1, arXiv 2504.12216), or 1/0 for a
/// solved grid. White space is skipped; cells are compared by place, missing ones are wrong and what follows the sixteenth is ignored.
/// Parts: <c>format</c> (16 cells of 1 .. 4 and nothing else), <c>cells</c> (the fraction), <c>answer</c> (solved).
/// </summary>
/// <remarks>
/// <c>answer</c> is 1 for every legal grid that keeps the given cells. It equals "the same as the reference" where the solution is
/// unique; files have puzzles with several solutions, and there a legal grid that is not the reference has answer 1 and cells below 1.
/// </remarks>
internal static class SudokuVerifier
{
    public static RewardOutcome ScoreCells(RewardRequest request) => Score(request, exact: false);

    public static RewardOutcome ScoreExact(RewardRequest request) => Score(request, exact: true);

    private static RewardOutcome Score(RewardRequest request, bool exact)
    {
        var (puzzle, solution) = (request.Prompt.Text, request.Prompt.Reference);
        if (!SudokuGrid.IsPuzzle(puzzle) || !SudokuGrid.IsSolution(solution) || !SudokuGrid.Keeps(puzzle, solution))
            return Outcomes.UnreadableReference;

        var grid = string.Concat(request.Completion.Where(cell => !char.IsWhiteSpace(cell)));
        var format = Outcomes.OneIf(grid.Length == SudokuGrid.Cells && grid.All(cell => cell is >= '1' and <= '4'));
        var answer = Outcomes.OneIf(SudokuGrid.IsSolution(grid) && SudokuGrid.Keeps(puzzle, grid));

        var blanks = Enumerable.Range(0, SudokuGrid.Cells).Where(i => puzzle[i] == '0').ToArray();
        var right = blanks.Count(i => i < grid.Length && grid[i] == solution[i]);
        // A puzzle without a blank leaves nothing to fill in: copying it is all there is to do.
        var cells = blanks.Length == 0 ? answer : (double)right / blanks.Length;
        return Outcomes.Scored(exact ? answer : cells, ("format", format), ("cells", cells), ("answer", answer));
    }
}
