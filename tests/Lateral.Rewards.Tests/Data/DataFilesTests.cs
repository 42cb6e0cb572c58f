using Lateral.Core.Prompts;
using Lateral.Core.Rewards;
using Lateral.Core.Rollouts;
using Lateral.Rewards.Data;
using Lateral.Rewards.Kinds;
using Lateral.Rewards.Tasks;
using Lateral.Rewards.Verifiers;
using Lateral.Tests;

namespace Lateral.Rewards.Tests.Data;

public sealed class DataFilesTests : IDisposable
{
    private const string SudokuRow = "3102200002100320,3142243142131324";

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("lateral-data-");

    public void Dispose() => _folder.Delete(recursive: true);

    [Fact]
    public void Read_must_give_the_rows_in_the_tasks_own_form()
    {
        var sudoku = Write("a.csv", "\uFEFFPuzzle,Solution\r\n", SudokuRow, "\r\n\r\n", "0140432014020000,2143432114323214");
        Assert.Equal(
            [
                new TaskItem("3102200002100320", "3142243142131324", "3142243142131324"),
                new TaskItem("0140432014020000", "2143432114323214", "2143432114323214"),
            ],
            DataFiles.Read(sudoku, "sudoku"));

        var item = Assert.Single(DataFiles.Read(Write("a.jsonl", """{"input": "3, 7,100", "output": "121", "id": 7}"""), "countdown"));
        Assert.Equal(("003,007,100=121", "100+3*7", "3,7,100=121"), (item.Prompt, item.Answer, item.Reference));
    }

    [Theory]
    [InlineData("sudoku", "Solution,Puzzle\n" + SudokuRow, ":1:1 the columns are 'Solution,Puzzle' - sudoku data has 'Puzzle,Solution' - rename or reorder the columns")]
    [InlineData("sudoku", SudokuRow, ":1:1 the columns are '3102200002100320,3142243142131324' - sudoku data has 'Puzzle,Solution' - rename or reorder the columns")]
    [InlineData("sudoku", "Puzzle,Solution\n\n3102200002100320", ":3:1 has 1 columns - 'Puzzle,Solution' has 2 - write one puzzle and one solution a line")]
    [InlineData("sudoku", "Puzzle,Solution\n" + SudokuRow + ",8", ":2:1 has 3 columns - 'Puzzle,Solution' has 2 - write one puzzle and one solution a line")]
    [InlineData("sudoku", "Puzzle,Solution\n140432014020000,2143432114323214", ":2:1 the puzzle has 15 characters - a 4x4 grid has 16 - write blanks as 0 and keep leading zeros (spreadsheets drop them)")]
    [InlineData("sudoku", "Puzzle,Solution\n3102200002100320,314224314213132", ":2:18 the solution has 15 characters - a 4x4 grid has 16 - write blanks as 0 and keep leading zeros (spreadsheets drop them)")]
    [InlineData("sudoku", "Puzzle,Solution\n3102205002100320,3142243142131324", ":2:7 the puzzle has '5' - its cells are 0 to 4 - correct or remove the row")]
    [InlineData("sudoku", "Puzzle,Solution\n3102200002100320,3042243142131324", ":2:19 the solution has '0' - its cells are 1 to 4 - correct or remove the row")]
    [InlineData("sudoku", "Puzzle,Solution\n" + SudokuRow + "\n3102200002100320,3142243142131342", ":3:18 the solution is not a legal grid - a row, column or 2x2 box repeats a digit - correct or remove the row")]
    [InlineData("sudoku", "Puzzle,Solution\n3402200002100320,3142243142131324", ":2:19 cell 2 of the solution is 1 - the puzzle gives 4 there - correct or remove the row")]
    [InlineData("sudoku", "Puzzle,Solution\n", " has no rows - there is nothing to evaluate - check that this is the file you mean")]
    [InlineData("sudoku", "", " has no rows - there is nothing to evaluate - check that this is the file you mean")]
    [InlineData("countdown", "\n \n", " has no rows - there is nothing to evaluate - check that this is the file you mean")]
    [InlineData("countdown", "{\"input\": \"3,7,2\", \"output\": \"42\"}\n{\"input\": oops}", ":2:11 is not valid JSON - a row is one JSON object - write {\"input\": \"30,100,93\", \"output\": \"23\"}")]
    [InlineData("countdown", "[1]", ":1:1 is a JSON Array - a row is an object - write {\"input\": \"30,100,93\", \"output\": \"23\"}")]
    [InlineData("countdown", "{\"question\": \"1\", \"answer\": \"2\"}", ":1:1 has no 'input' - its fields are {question, answer} - write {\"input\": \"30,100,93\", \"output\": \"23\"}")]
    [InlineData("countdown", "{\"input\": \"3,7,2\", \"output\": 42}", ":1:20 'output' is a JSON Number - it is a string - write {\"input\": \"30,100,93\", \"output\": \"23\"}")]
    [InlineData("countdown", "{\"input\": \"3,\\ud800,2\", \"output\": \"42\"}", ":1:2 'input' is not text - it escapes half of a surrogate pair - write {\"input\": \"30,100,93\", \"output\": \"23\"}")]
    [InlineData("countdown", "{\"input\": \"3,x,2\", \"output\": \"42\"}", ":1:1 'input' has 'x' - its numbers are whole, 0 to 999: prompts write three digits - correct or remove the row")]
    [InlineData("countdown", "{\"input\": \"3,1000,2\", \"output\": \"42\"}", ":1:1 'input' has '1000' - its numbers are whole, 0 to 999: prompts write three digits - correct or remove the row")]
    [InlineData("countdown", "{\"input\": \"3,7,2\", \"output\": \"-1\"}", ":1:1 'output' has '-1' - its numbers are whole, 0 to 999: prompts write three digits - correct or remove the row")]
    [InlineData("countdown", "{\"input\": \"3,7\", \"output\": \"21\"}", ":1:1 input has 2 numbers - prompts have room for 3 - use the three-number data set")]
    [InlineData("countdown", "{\"input\": \"1,1,1\", \"output\": \"7\"}", ":1:1 no expression of 1,1,1 has the value 7 - every answer would be wrong - correct or remove the row")]
    public void Read_must_say_where_and_why_a_file_is_wrong_and_what_to_do(string task, string content, string message)
    {
        var path = Write("bad.txt", content);
        var error = Assert.Throws<DataException>(() => DataFiles.Read(path, task));
        Assert.Equal(path + message, error.Message);
        Assert.Equal(path, error.File);
        Assert.StartsWith(error.Line == 0 ? " " : $":{error.Line}:{error.Column} ", message);
    }

    [Fact]
    public void Read_must_name_a_file_that_is_not_there()
    {
        var path = Path.Combine(_folder.FullName, "none", "missing.csv");
        var error = Assert.Throws<DataException>(() => DataFiles.Read(path, "sudoku"));
        Assert.Equal($"{path} does not exist - looked from {Environment.CurrentDirectory} - check the path", error.Message);
        Assert.Contains("cannot be read", Assert.Throws<DataException>(() => DataFiles.Read(_folder.FullName, "sudoku")).Message);
        Assert.Contains("cannot be read", Assert.Throws<DataException>(() => DataFiles.Read("", "sudoku")).Message);
    }

    [Fact]
    public void Read_must_refuse_a_task_without_a_file_form()
    {
        var error = Assert.Throws<DataException>(() => DataFiles.Read("x.csv", "sort5"));
        Assert.Equal(
            "x.csv task 'sort5' has no data file form - only sudoku and countdown read one - evaluate on the task's own held-out prompts", error.Message);
    }

    /// <summary>Reading checks every row: legal solutions that keep their puzzles. Distinctness and ambiguity are counted here.</summary>
    [SharedFact]
    public async Task The_500_sudokus_of_d1_must_all_be_usable()
    {
        var items = DataFiles.Read(SharedFolder.Path("data", "d1", "4x4_test_sudoku.csv"), "sudoku");
        Assert.Equal(500, items.Count);
        Assert.Equal("3102200002100320", items[0].Prompt);
        Assert.Equal("3142243142131324", items[0].Reference);
        Assert.All(items, item => Assert.Equal(8, item.Prompt.Count(cell => cell != '0')));
        Assert.Equal(229, items.Select(item => item.Reference).Distinct().Count());

        var solutions = items.CountBy(item => SudokuGrid.CountSolutions(item.Prompt)).ToDictionary();
        Assert.Equal((376, 115, 8, 1), (solutions[1], solutions[2], solutions[3], solutions[4]));
        foreach (var item in items) Assert.Equal(1, await Value("sudoku", item, item.Answer));
    }

    [SharedFact]
    public async Task The_256_countdowns_of_d1_must_all_be_solvable_and_fit_the_task()
    {
        var items = DataFiles.Read(SharedFolder.Path("data", "d1", "countdown_cd3_test.jsonl"), "countdown");
        var task = new CountdownTask(new CountdownSettings(100, 100, "+-*/", 16), 1);
        Assert.Equal(256, items.Count);
        Assert.Equal("030,100,093=023", items[0].Prompt);
        foreach (var item in items)
        {
            Assert.All(item.Prompt + item.Answer, c => Assert.Contains(c, task.Alphabet));
            Assert.True(item.Answer.Length < task.GenLength);
            Assert.Equal(1, await Value("countdown", item, item.Answer));
        }
    }

    private static async Task<double> Value(string kind, TaskItem item, string completion)
    {
        var request = new RewardRequest(new RolloutId(0, 0), new Prompt(0, [], item.Prompt, item.Reference), completion);
        return Assert.IsType<RewardOutcome.Scored>(await VerifierRegistry.Create(kind, kind == "countdown" ? new Dictionary<string, string> { ["right-numbers"] = "0.1" } : []).ScoreAsync(request, CancellationToken.None)).Value;
    }

    private string Write(string name, params string[] parts)
    {
        var path = Path.Combine(_folder.FullName, name);
        File.WriteAllText(path, string.Concat(parts));
        return path;
    }
}
