using Lateral.Rewards.Tasks;

namespace Lateral.Rewards.Tests.Tasks;

public class TaskRegistryTests
{
    private static readonly SortSettings Sort = new(5, .5, 64);
    private static readonly SudokuSettings Sudoku = new(4, 6, 64);
    private static readonly SerialSettings Serial = new(8, true, 64);
    private static readonly OrderSettings Order = new(2, 64);
    private static readonly CountdownSettings Countdown = new(9, 99, "+-*/", 64);
    private static readonly MultiplySettings Multiply = new(2, 2, true, 64);

    [Fact]
    public void Create_must_know_every_listed_name()
    {
        var made = TaskRegistry.Names.Select(name => TaskRegistry.Create(name, SettingsOf(name), 1)).ToArray();
        Assert.Equal([5, 6, 16, 8, 15, 8, 8], made.Select(task => task.GenLength));
        Assert.All(made, task => Assert.Equal(64, task.HeldOutCount));
    }

    [Fact]
    public void Create_must_suggest_a_name_for_an_unknown_one()
    {
        var error = Assert.Throws<TaskSettingException>(() => TaskRegistry.Create("sodoku", Sudoku, 1));
        Assert.Equal("unknown task 'sodoku'; did you mean 'sudoku'? Known: sort5, sort6, sudoku, countdown, multiply, order, serial", error.Message);
        Assert.Equal(
            "unknown task 'gsm8k-train'. Known: sort5, sort6, sudoku, countdown, multiply, order, serial",
            Assert.Throws<TaskSettingException>(() => TaskRegistry.Create("gsm8k-train", Sudoku, 1)).Message);
    }

    [Fact]
    public void Create_must_refuse_settings_of_another_task() =>
        Assert.Equal(
            "task.name = sudoku: cannot be made from SortSettings",
            Assert.Throws<TaskSettingException>(() => TaskRegistry.Create("sudoku", Sort, 1)).Message);

    [Fact]
    public void Create_must_refuse_a_length_that_is_not_the_name_s() =>
        Assert.Equal(
            "task.length = 6: must be 5 for sort5",
            Assert.Throws<TaskSettingException>(() => TaskRegistry.Create("sort5", Sort with { Length = 6 }, 1)).Message);

    public static TheoryData<GeneratedTaskSettings, string, string> OutOfRange => new()
    {
        { Sort with { Length = 1 }, "length", "task.length = 1: must be 2 to 12" },
        { Sort with { Length = 13 }, "length", "task.length = 13: must be 2 to 12" },
        { Sort with { DescendingFraction = 1.5 }, "descending-fraction", "task.descending-fraction = 1.5: must be 0 to 1" },
        { Sort with { DescendingFraction = double.NaN }, "descending-fraction", "task.descending-fraction = NaN: must be 0 to 1" },
        { Sort with { HeldOutPrompts = 0 }, "held-out-prompts", "task.held-out-prompts = 0: must be 1 to 65,536" },
        { Order with { HeldOutPrompts = 2_042_048 }, "held-out-prompts", "task.held-out-prompts = 2042048: must be 1 to 65,536" },
        { Sudoku with { MinClues = 3 }, "min-clues", "task.min-clues = 3: must be 4 to 15" },
        { Sudoku with { MaxClues = 3 }, "max-clues", "task.max-clues = 3: must be min-clues (4) to 15" },
        { Sudoku with { MaxClues = 16 }, "max-clues", "task.max-clues = 16: must be min-clues (4) to 15" },
        { Serial with { Swaps = 0 }, "swaps", "task.swaps = 0: must be 1 to 32" },
        { Serial with { Swaps = 33 }, "swaps", "task.swaps = 33: must be 1 to 32" },
        { Order with { Groups = 0 }, "groups", "task.groups = 0: must be 1 to 4" },
        { Order with { Groups = 5 }, "groups", "task.groups = 5: must be 1 to 4" },
        { Countdown with { MaxNumber = 1000 }, "max-number", "task.max-number = 1000: must be 2 to 999" },
        { Countdown with { MaxTarget = 0 }, "max-target", "task.max-target = 0: must be 1 to 999" },
        { Countdown with { Operators = "+%" }, "operators", "task.operators = \"+%\": must be one or more of + - * / without repeats" },
        { Countdown with { Operators = "" }, "operators", "task.operators = \"\": must be one or more of + - * / without repeats" },
        { Multiply with { LeftDigits = 5 }, "left-digits", "task.left-digits = 5: must be 1 to 4" },
        { Multiply with { RightDigits = 1 }, "right-digits", "task.right-digits = 1: must be 2 to 4: with one digit there is nothing to work out" },
        { Countdown with { Operators = "++" }, "operators", "task.operators = \"++\": must be one or more of + - * / without repeats" },
    };

    [Theory]
    [MemberData(nameof(OutOfRange))]
    public void Create_must_name_key_value_and_bound_of_a_wrong_setting(GeneratedTaskSettings settings, string key, string message)
    {
        var name = settings switch { SortSettings sort => $"sort{sort.Length}", SudokuSettings => "sudoku", MultiplySettings => "multiply", OrderSettings => "order", SerialSettings => "serial", _ => "countdown" };
        var error = Assert.Throws<TaskSettingException>(() => TaskRegistry.Create(name, settings, 1));
        Assert.Equal((key, message), (error.Key, error.Message));
    }

    [Fact]
    public void Create_must_refuse_more_held_out_prompts_than_there_are()
    {
        var error = Assert.Throws<TaskSettingException>(() => TaskRegistry.Create("sort2", new SortSettings(2, .5, 90), 1));
        Assert.Equal("held-out-prompts", error.Key);
        Assert.Matches("task.held-out-prompts = 90: these settings yield only [0-9]+ distinct held-out prompts", error.Message);
    }

    /// <summary>1 * 1 * 1 = 1 is the only problem, so one side of every split is empty.</summary>
    [Theory]
    [InlineData(1UL)]
    [InlineData(2UL)]
    public void Create_must_refuse_settings_that_leave_a_side_empty(ulong seed)
    {
        var error = Assert.Throws<TaskSettingException>(() => TaskRegistry.Create("countdown", new CountdownSettings(2, 1, "*", 1), seed));
        Assert.Matches("leave no (training|held-out) prompt", error.Message);
    }

    [Fact]
    public void Create_must_read_the_keys_of_a_configuration()
    {
        var sort = TaskRegistry.Create("sort6", Keys("length = 6, descending-fraction = 0.25, held-out-prompts = 7"), 3);
        var sudoku = TaskRegistry.Create("sudoku", Keys("min-clues = 5, max-clues = 6, held-out-prompts = 8"), 3);
        var countdown = TaskRegistry.Create("countdown", Keys("max-number = 20, max-target = 50, operators = +*, held-out-prompts = 9"), 3);
        Assert.Equal(new SortTask(new SortSettings(6, .25, 7), 3).Corpus(5), sort.Corpus(5));
        Assert.Equal(new SudokuTask(new SudokuSettings(5, 6, 8), 3).Corpus(5), sudoku.Corpus(5));
        Assert.Equal(new CountdownTask(new CountdownSettings(20, 50, "+*", 9), 3).Corpus(5), countdown.Corpus(5));
        var multiply = TaskRegistry.Create("multiply", Keys("left-digits = 3, right-digits = 2, thoughts = off, held-out-prompts = 9"), 3);
        Assert.Equal(new MultiplyTask(new MultiplySettings(3, 2, false, 9), 3).Corpus(5), multiply.Corpus(5));
        Assert.Equal([7, 8, 9], new[] { sort, sudoku, countdown }.Select(task => task.HeldOutCount));
    }

    [Theory]
    [InlineData("min-clues = 5, held-out-prompts = 8", "max-clues", "task.max-clues is missing: sudoku needs it")]
    [InlineData("min-clues = five, max-clues = 6, held-out-prompts = 8", "min-clues", "task.min-clues = five: must be a whole number, for example 5")]
    [InlineData("min-clues = 5, max-clues = 6, held-out-prompts = 8, clues = 1", "clues", "unknown sudoku setting 'clues'. Known: held-out-prompts, max-clues, min-clues")]
    [InlineData("min-clues = 5, max-clues = 6, held-out-prompts = 8, min-clue = 1", "min-clue", "unknown sudoku setting 'min-clue'; did you mean 'min-clues'? Known: held-out-prompts, max-clues, min-clues")]
    public void Create_must_name_the_key_that_a_configuration_has_wrong(string keys, string key, string message)
    {
        var error = Assert.Throws<TaskSettingException>(() => TaskRegistry.Create("sudoku", Keys(keys), 1));
        Assert.Equal((key, message), (error.Key, error.Message));
    }

    [Fact]
    public void Create_must_take_a_switch_as_the_configuration_writes_it() =>
        Assert.Equal(
            "task.thoughts = 1: must be on or off",
            Assert.Throws<TaskSettingException>(() => TaskRegistry.Create("multiply", Keys("left-digits = 2, right-digits = 2, thoughts = 1, held-out-prompts = 9"), 1)).Message);

    [Fact]
    public void Create_must_suggest_a_name_before_it_reads_any_key() =>
        Assert.StartsWith(
            "unknown task 'sudok'; did you mean 'sudoku'?",
            Assert.Throws<TaskSettingException>(() => TaskRegistry.Create("sudok", Keys("a = 1"), 1)).Message);

    private static Dictionary<string, string> Keys(string text) =>
        text.Split(", ").Select(pair => pair.Split(" = ")).ToDictionary(pair => pair[0], pair => pair[1]);

    private static GeneratedTaskSettings SettingsOf(string name) => name switch
    {
        "sort5" => Sort,
        "sort6" => Sort with { Length = 6 },
        "sudoku" => Sudoku,
        "order" => Order,
        "serial" => Serial,
        "multiply" => Multiply,
        _ => Countdown,
    };
}
