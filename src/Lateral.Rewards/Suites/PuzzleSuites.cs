using System.Collections.Immutable;
using Lateral.Core.Prompts;
using Lateral.Core.Rewards;
using Lateral.Core.Rollouts;
using Lateral.Rewards.Data;
using Lateral.Rewards.Tasks;
using Lateral.Rewards.Verifiers;

namespace Lateral.Rewards.Suites;

/// <summary>A task of this program with its file form, told in words; the task's own verifier decides about what stands between the last answer tags.</summary>
/// <param name="verifier">of answers in tags</param>
internal abstract class PuzzleSuite(string name, Func<RewardRequest, RewardOutcome> verifier) : ISuite
{
    public string Name => name;

    public IReadOnlyList<string> Rules { get; } = ["answer"];

    public ImmutableArray<SuiteItem> Read(string path) => [.. DataFiles.Read(path, name).Select((item, i) => new SuiteItem($"{name}/{i}", $"{Told(item)}\n\nThink first. Then write the answer as <answer>{Form}</answer>.", Reference(item)))];

    public ImmutableArray<bool> Judge(SuiteItem item, string completion)
    {
        var outcome = verifier(new RewardRequest(new RolloutId(0, 0), new Prompt(0, [], item.Prompt, item.Reference), completion));
        return [outcome is RewardOutcome.Scored scored && scored.Breakdown["answer"] >= 1];
    }

    /// <summary>An answer's form, as prompts show it.</summary>
    protected abstract string Form { get; }

    protected abstract string Told(TaskItem item);

    /// <summary>What the verifier needs to know.</summary>
    protected virtual string Reference(TaskItem item) => item.Reference;
}

/// <summary>4x4 sudoku in d1's CSV.</summary>
internal sealed class SudokuSuite() : PuzzleSuite("sudoku", InTags.SudokuExact)
{
    protected override string Form => "16 digits";

    protected override string Told(TaskItem item) => $"A 4x4 sudoku, row by row, 0 for an empty cell: {item.Prompt}\nEvery row, every column and every 2x2 box holds 1, 2, 3 and 4. Give the solved grid, row by row.";

    protected override string Reference(TaskItem item) => $"{item.Prompt},{item.Reference}";
}

/// <summary>Countdown in d1's JSONL.</summary>
internal sealed class CountdownSuite() : PuzzleSuite("countdown", request => InTags.Countdown(request, rightNumbers: 0))
{
    protected override string Form => "expression";

    protected override string Told(TaskItem item)
    {
        var (numbers, target) = CountdownText.ReadReference(item.Reference)!.Value;
        return $"Use each of the numbers {string.Join(", ", numbers)} exactly once, with + - * / and parentheses, to make {target}.";
    }
}
