using System.Collections.Immutable;
using Lateral.Core;
using Lateral.Core.Prompts;

namespace Lateral.Rewards.Tasks;

/// <summary>
/// 4x4 sudoku with a unique solution, the whole grid as completion.
/// Example: <c>prompt "3102200002100320", answer and reference "3142243142131324"</c>.
/// </summary>
/// <remarks>
/// There are only 288 solved grids, so the split is by SOLUTION: 36 are held out and no puzzle of theirs is ever trained on.
/// A unique solution makes the prompts disjoint too. Puzzles from files know nothing of this split.
/// </remarks>
public sealed class SudokuTask : ITask
{
    private const int HeldOutSolutions = 36;

    /// <summary>The sibling field of the solutions' shuffle; the draws of items use 0 and 1.</summary>
    private const int ShufflePurpose = 2;

    private readonly SudokuSettings _settings;
    private readonly ImmutableArray<string> _trainSolutions, _heldOutSolutions;
    private readonly ItemSource _items;
    private readonly ImmutableArray<TaskItem> _heldOut;

    public SudokuTask(SudokuSettings settings, ulong seed)
    {
        settings.Check();
        _settings = settings;
        var random = new CounterRandom(seed);
        var shuffled = SudokuGrid.Solutions.ToArray();
        Shuffle(shuffled, shuffled.Length, (bound, position) => random.Below(bound, RandomStream.Prompt, 0, ShufflePurpose, position: position));
        _heldOutSolutions = [.. shuffled.AsSpan(0, HeldOutSolutions)];
        _trainSolutions = [.. shuffled.AsSpan(HeldOutSolutions)];
        _items = new ItemSource(random, Attempt);
        _heldOut = _items.HeldOut(settings.HeldOutPrompts);
    }

    public string Alphabet => "01234";

    public int GenLength => SudokuGrid.Cells;

    public int HeldOutCount => _heldOut.Length;

    public TaskItem Train(long ordinal) => _items.Train(ordinal);

    public TaskItem Corpus(long index) => _items.Corpus(index);

    public TaskItem HeldOut(int index) => _heldOut[index];

    private TaskItem? Attempt(Draws draws)
    {
        // The clue count comes from the first attempt: redrawing it would favour counts that are often unique.
        var clues = _settings.MinClues + (draws with { Attempt = 0 }).Below(_settings.MaxClues - _settings.MinClues + 1, 0);
        var solutions = draws.Side == Side.HeldOut ? _heldOutSolutions : _trainSolutions;
        var solution = solutions[draws.Below(solutions.Length, 1)];

        var cells = Enumerable.Range(0, SudokuGrid.Cells).ToArray();
        Shuffle(cells, clues, (bound, position) => draws.Below(bound, 2 + position));
        var puzzle = new string('0', SudokuGrid.Cells).ToCharArray();
        foreach (var cell in cells.AsSpan(0, clues)) puzzle[cell] = solution[cell];

        var prompt = new string(puzzle);
        return SudokuGrid.CountSolutions(prompt) == 1 ? new TaskItem(prompt, solution, solution) : null;
    }

    /// <summary>Fisher-Yates: the first <paramref name="count"/> entries become a uniform ordered draw without replacement.</summary>
    private static void Shuffle<T>(T[] entries, int count, Func<int, int, int> below)
    {
        for (var i = 0; i < count && i < entries.Length - 1; i++)
        {
            var chosen = i + below(entries.Length - i, i);
            (entries[i], entries[chosen]) = (entries[chosen], entries[i]);
        }
    }
}
