using System.Globalization;
using Lateral.Core.Prompts;
using Lateral.Rewards.Code;
using Lateral.Rewards.Tasks;
using Final = Lateral.Rewards.Mathematics.FinalAnswer;

namespace Lateral.Rewards.Data;

/// <summary>The formats by name. A column that <c>data.columns</c> names is read instead of the format's own.</summary>
internal static class RowFormats
{
    private static readonly RowFormat[] All =
    [
        new("rows", """{"prompt": "Say yes.", "answer": "yes", "reference": "yes"}""", Plain),
        new("gsm8k", """{"question": "Two and three?", "answer": "2 + 3 = 5\n#### 5"}""", Gsm8k, Instructions.GradeSchool) { FinalAnswer = Final.LastNumber },
        new("math", """{"problem": "Compute $1+1$.", "solution": "It is $\\boxed{2}$."}""", Mathematics, Instructions.Boxed) { FinalAnswer = Final.Boxed },
        new("humaneval", """{"prompt": "def f(x):\n", "canonical_solution": "    return x\n", "entry_point": "f", "test": "def check(candidate):\n    assert candidate(1) == 1"}""", HumanEval, Instructions.Function),
        new("mbpp", """{"text": "Write a function that ...", "code": "def f(x):\n    return x", "test_list": ["assert f(1) == 1"]}""", Mbpp, Instructions.Program),
        new("sudoku", """{"Puzzle": "3102200002100320", "Solution": "3142243142131324"}""", Sudoku, Instructions.Sudoku),
        new("countdown", """{"input": "30,100,93", "output": "23"}""", Countdown, Instructions.Countdown),
        new("verl", """{"prompt": [{"role": "user", "content": "..."}], "reward_model": {"ground_truth": "5"}}""", Verl),
    ];

    /// <summary>Of a countdown row: one more makes the search thirty times as long.</summary>
    private const int MostNumbers = 5;

    /// <exception cref="ArgumentException">there is no such format; names those that are</exception>
    public static RowFormat Of(string name) => All.FirstOrDefault(format => format.Name == name) ?? throw new ArgumentException(KnownNames.Unknown("data format", name, [.. All.Select(format => format.Name)]), nameof(name));

    private static TaskItem Plain(JsonRow row, DataColumns columns)
    {
        var prompt = columns.Prompt ?? "prompt";
        var answer = Optional(row, columns.Answer, "answer");
        // An answer is what there is to compare with, where nothing else is.
        return Conversation(row, prompt, answer ?? "", Optional(row, columns.Reference, "reference") ?? answer ?? row.Text(columns.Reference ?? "reference", "answer"));
    }

    private static TaskItem Gsm8k(JsonRow row, DataColumns columns)
    {
        var (column, question) = (columns.Answer ?? "answer", row.Text(columns.Prompt ?? "question"));
        var answer = row.Text(column);
        var reference = Optional(row, columns.Reference, null) ?? Final.Marked(answer) ?? throw row.Wrong(column, $"'{column}' does not end with #### and a number", "that number is what answers are compared with");
        return new(question, answer, reference);
    }

    private static TaskItem Mathematics(JsonRow row, DataColumns columns)
    {
        string[] names = columns.Reference is { } named ? [named] : ["ground_truth_answer", "answer", "solution"];
        var (problem, written) = (columns.Prompt is { } prompt ? row.Text(prompt) : row.Text("problem", "question"), row.Text(names));
        var reference = Final.Boxed(written) ?? written;
        if (string.IsNullOrWhiteSpace(reference)) throw row.Wrong(names.First(row.Has), "the answer is empty", "every answer would be wrong");
        return new(problem, Optional(row, columns.Answer, "solution") ?? $@"\boxed{{{reference}}}", reference);
    }

    private static TaskItem HumanEval(JsonRow row, DataColumns columns)
    {
        var prompt = row.Text(columns.Prompt ?? "prompt");
        var problem = new CodeProblem.HumanEval(prompt, row.Text("entry_point"), row.Text("test"));
        return new(prompt, Optional(row, columns.Answer, "canonical_solution") is { } body ? Block(prompt + body) : "", problem.ToReference());
    }

    private static TaskItem Mbpp(JsonRow row, DataColumns columns)
    {
        var text = columns.Prompt is { } named ? row.Text(named) : row.Text("text", "prompt");
        if (row.Texts("test_list") is not { Count: > 0 } tests) throw row.Wrong("test_list", "has no 'test_list' with a test in it", "tests decide about an answer");
        var problem = new CodeProblem.Mbpp(Optional(row, null, "test_setup_code") ?? "", [.. tests]);
        // Which name the tests call a model can only know from them.
        return new($"{text}\n\nYour code has to pass:\n{string.Join('\n', tests)}", Optional(row, columns.Answer, "code") is { } code ? Block(code) : "", problem.ToReference());
    }

    private static TaskItem Sudoku(JsonRow row, DataColumns columns)
    {
        var (first, second) = (columns.Prompt ?? "Puzzle", columns.Reference ?? "Solution");
        var (puzzle, solution) = (row.Text(first), row.Text(second));
        if (!SudokuGrid.IsPuzzle(puzzle)) throw row.Wrong(first, $"the puzzle is '{puzzle}'", "a 4x4 grid has 16 cells of 0 to 4, row by row, 0 = blank");
        if (!SudokuGrid.IsSolution(solution)) throw row.Wrong(second, "the solution is not a legal grid", "its 16 cells are 1 to 4, and no row, column or 2x2 box repeats one");
        if (!SudokuGrid.Keeps(puzzle, solution)) throw row.Wrong(second, "the solution changes a cell that the puzzle gives", "it would be wrong in every answer");
        return new(puzzle, solution, solution);
    }

    private static TaskItem Countdown(JsonRow row, DataColumns columns)
    {
        var (first, second) = (columns.Prompt ?? "input", columns.Reference ?? "output");
        int[] numbers = [.. row.Text(first).Split(',').Select(number => Number(row, first, number))];
        if (numbers.Length is < 2 or > MostNumbers) throw row.Wrong(first, $"'{first}' has {numbers.Length} numbers", $"2 to {MostNumbers} can be searched for a solution");
        var target = Number(row, second, row.Name(second));
        if (Arithmetic.CountdownSolver.Solve(numbers, target) is not { } solution) throw row.Wrong(second, $"no expression of {string.Join(',', numbers)} has the value {target}", "every answer would be wrong");
        return new(CountdownText.Reference(numbers, target), solution.ToString(), CountdownText.Reference(numbers, target));
    }

    private static TaskItem Verl(JsonRow row, DataColumns columns) =>
        Conversation(row, columns.Prompt ?? "prompt", Optional(row, columns.Answer, "extra_info.answer") ?? "", row.Name(columns.Reference ?? "reward_model.ground_truth"));

    private static TaskItem Conversation(JsonRow row, string prompt, string answer, string reference)
    {
        if (row.Turns(prompt) is not { } turns) return new(row.Text(prompt), answer, reference);
        if (turns[^1].Role == "assistant") throw row.Wrong(prompt, $"the last message of '{prompt}' is the assistant's", "the model answers last: an answer that is there belongs into a column of its own");
        return new(string.Join("\n\n", turns.Select(turn => turn.Content)), answer, reference) { Turns = turns };
    }

    /// <param name="named">what <c>data.columns</c> says; it has to be there</param>
    /// <param name="own">the format's own name, which may be missing</param>
    private static string? Optional(JsonRow row, string? named, string? own) => named is not null ? row.Name(named) : own is not null && row.Has(own) ? row.Name(own) : null;

    private static int Number(JsonRow row, string column, string text) =>
        int.TryParse(text.Trim(), NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number <= CountdownText.Largest
            ? number
            : throw row.Wrong(column, $"'{column}' has '{text}'", $"its numbers are whole, 0 to {CountdownText.Largest}");

    private static string Block(string code) => $"```python\n{code}\n```";
}
