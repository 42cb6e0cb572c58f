using Lateral.Core.Rewards;
using Lateral.Rewards.Mathematics;
using Lateral.Rewards.Tasks;

namespace Lateral.Rewards.Verifiers;

/// <summary>
/// The puzzles' verifiers for models that think first and answer in <c>&lt;answer&gt;</c> tags (d1, arXiv 2504.12216): what stands in the last pair is scored, without white space; without a pair it is the empty answer.
/// </summary>
internal static class InTags
{
    /// <summary>An equation's left side is the answer: <c>(1 + 2) * 3 = 9</c> is <c>(1 + 2) * 3</c>.</summary>
    public static RewardOutcome Countdown(RewardRequest request, double rightNumbers) => CountdownVerifier.Score(request with { Completion = Answer(request).Split('=')[0].Trim() }, rightNumbers);

    public static RewardOutcome SudokuCells(RewardRequest request) => SudokuVerifier.ScoreCells(WithPuzzle(request));

    public static RewardOutcome SudokuExact(RewardRequest request) => SudokuVerifier.ScoreExact(WithPuzzle(request));

    private static string Answer(RewardRequest request) => FinalAnswer.Tagged(request.Completion) ?? "";

    /// <summary>A reference with a comma is a row of d1's file, puzzle and solution: the prompt tells the puzzle in words then.</summary>
    private static RewardRequest WithPuzzle(RewardRequest request)
    {
        request = request with { Completion = Answer(request) };
        return request.Prompt.Reference.Split(',') is [var puzzle, var solution] && puzzle.Length == SudokuGrid.Cells
            ? request with { Prompt = request.Prompt with { Text = puzzle, Reference = solution } }
            : request;
    }
}
