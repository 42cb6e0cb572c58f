using System.Collections.Immutable;
using System.Text.RegularExpressions;
using Lateral.Core.Prompts;
using Lateral.Core.Rewards;
using Lateral.Core.Rollouts;
using Lateral.Rewards.Data;
using Lateral.Rewards.Tasks;
using Lateral.Rewards.Verifiers;

namespace Lateral.Rewards.Suites;

/// <summary>A task of this program with its file form, told in words; the task's own verifier decides about what stands between the last answer tags.</summary>
internal abstract partial class PuzzleSuite(string name, Func<RewardRequest, RewardOutcome> verifier) : ISuite
{
    public string Name => name;

    public IReadOnlyList<string> Rules { get; } = ["answer"];

    public ImmutableArray<SuiteItem> Read(string path) => [.. DataFiles.Read(path, name).Select((item, i) => new SuiteItem($"{name}/{i}", $"{Told(item)}\n\nThink first. Then write the answer as <answer>{Form}</answer>.", $"{item.Prompt}\n{item.Reference}"))];

    public ImmutableArray<bool> Judge(SuiteItem item, string completion)
    {
        if (Answers().Matches(completion) is not { Count: > 0 } found) return [false];
        var parts = item.Reference.Split('\n');
        var outcome = verifier(new RewardRequest(new RolloutId(0, 0), new Prompt(0, [], parts[0], parts[1]), Stripped(found[^1].Groups["answer"].Value.Trim())));
        return [outcome is RewardOutcome.Scored scored && scored.Breakdown["answer"] >= 1];
    }

    /// <summary>An answer's form, as prompts show it.</summary>
    protected abstract string Form { get; }

    protected abstract string Told(TaskItem item);

    /// <summary>What the verifier reads of an answer.</summary>
    protected virtual string Stripped(string answer) => answer;

    [GeneratedRegex(@"<answer>(?<answer>.*?)</answer>", RegexOptions.Singleline | RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex Answers();
}

/// <summary>4x4 sudoku in d1's CSV.</summary>
internal sealed class SudokuSuite() : PuzzleSuite("sudoku", SudokuVerifier.ScoreExact)
{
    protected override string Form => "16 digits";

    protected override string Told(TaskItem item) => $"A 4x4 sudoku, row by row, 0 for an empty cell: {item.Prompt}\nEvery row, every column and every 2x2 box holds 1, 2, 3 and 4. Give the solved grid, row by row.";
}

/// <summary>Countdown in d1's JSONL.</summary>
internal sealed class CountdownSuite() : PuzzleSuite("countdown", request => CountdownVerifier.Score(request, rightNumbers: 0))
{
    protected override string Form => "expression";

    protected override string Told(TaskItem item)
    {
        var (numbers, target) = CountdownText.ReadReference(item.Reference)!.Value;
        return $"Use each of the numbers {string.Join(", ", numbers)} exactly once, with + - * / and parentheses, to make {target}.";
    }

    /// <summary>"(1 + 2) * 3 = 9" is its left side.</summary>
    protected override string Stripped(string answer) => answer.Split('=')[0].Trim();
}
