using Lateral.Core.Prompts;
using Lateral.Core.Rewards;
using Lateral.Core.Rollouts;
using Lateral.Rewards.Arithmetic;
using Lateral.Rewards.Data;
using Lateral.Rewards.Kinds;
using Lateral.Rewards.Tasks;
using Lateral.Rewards.Verifiers;
using Lateral.Tests;

namespace Lateral.Rewards.Tests.Verifiers;

/// <summary>d1's test sets, answered in tags.</summary>
public sealed class PublishedPuzzleTests
{
    [SharedFact]
    public async Task Sudoku_s_solutions_must_score_one_and_corrupted_ones_less()
    {
        var items = DataFiles.Read(SharedFolder.Path("data", "d1", "4x4_test_sudoku.csv"), "sudoku");
        Assert.Equal(500, items.Count);
        var (cells, exact) = (VerifierRegistry.Create("d1-sudoku", ReferenceKinds.Of("d1-sudoku")), VerifierRegistry.Create("sudoku-tags", ReferenceKinds.Of("sudoku-tags", ("exact", "on"))));
        foreach (var item in items)
        {
            Assert.Equal((1, 1), (await Score(cells, item, item.Reference), await Score(exact, item, item.Reference)));
            foreach (var blank in Enumerable.Range(0, 16).Where(i => item.Prompt[i] == '0'))
            {
                // Another digit in one blank cell.
                var wrong = item.Reference.ToCharArray();
                wrong[blank] = (char)('1' + (wrong[blank] - '0') % 4);
                var blanks = item.Prompt.Count(cell => cell == '0');
                Assert.Equal((blanks - 1) / (double)blanks, await Score(cells, item, new(wrong)), 12);
                Assert.Equal(0, await Score(exact, item, new(wrong)));
            }
        }
    }

    [SharedFact]
    public async Task Countdown_s_solutions_must_score_one_and_other_targets_less()
    {
        var items = DataFiles.Read(SharedFolder.Path("data", "d1", "countdown_cd3_test.jsonl"), "countdown");
        Assert.Equal(256, items.Count);
        var verifier = VerifierRegistry.Create("d1-countdown", ReferenceKinds.Of("d1-countdown"));
        foreach (var item in items)
        {
            var (numbers, target) = CountdownText.ReadReference(item.Reference)!.Value;
            var solution = CountdownSolver.Solve(numbers, target)!;
            Assert.Equal(1, await Score(verifier, item, $"{solution}"));
            Assert.Equal(1, await Score(verifier, item, $"{solution} = {target}"));
            // The right numbers with another value, a number more, a number changed, and no expression.
            Assert.Equal(.1, await Score(verifier, item with { Reference = CountdownText.Reference(numbers, target + 1) }, $"{solution}"));
            Assert.Equal(0, await Score(verifier, item, $"{solution}+1-1"));
            Assert.Equal(0, await Score(verifier, item, $"{target}"));
            Assert.Equal(0, await Score(verifier, item, $"{solution}+"));
        }
    }

    private static async Task<double> Score(IReward verifier, TaskItem item, string answer)
    {
        var request = new RewardRequest(new RolloutId(0, 0), new Prompt(0, [], item.Prompt, item.Reference), $"<reasoning>\nSo.\n</reasoning>\n<answer>\n{answer}\n</answer>");
        return Assert.IsType<RewardOutcome.Scored>(await verifier.ScoreAsync(request, CancellationToken.None)).Value;
    }
}
