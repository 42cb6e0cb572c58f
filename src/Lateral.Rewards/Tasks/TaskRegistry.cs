using Lateral.Core.Prompts;

namespace Lateral.Rewards.Tasks;

/// <summary>The generated tasks by their configuration name.</summary>
public static class TaskRegistry
{
    /// <summary>The names that ship with a configuration; <c>sort</c> takes any length it is named after.</summary>
    public static IReadOnlyList<string> Names { get; } = ["sort5", "sort6", "sudoku", "countdown", "multiply", "order", "serial"];

    /// <summary>Builds the task from its keys as they stand in the configuration, for example <c>min-clues = 4</c>.</summary>
    /// <exception cref="TaskSettingException">an unknown name or key, a missing key, a value of the wrong kind or out of range</exception>
    public static ITask Create(string name, IReadOnlyDictionary<string, string> parameters, ulong seed) =>
        Create(name, TaskParameters.Read(name, parameters), seed);

    /// <summary>Builds the task; its held-out prompts are drawn at once, so unusable settings fail here.</summary>
    /// <param name="settings">the record that belongs to the name: <see cref="SortSettings"/>, <see cref="SudokuSettings"/>, <see cref="CountdownSettings"/>, <see cref="MultiplySettings"/>, <see cref="OrderSettings"/>, <see cref="SerialSettings"/></param>
    /// <exception cref="TaskSettingException">an unknown name, another task's settings, or a value out of range</exception>
    public static ITask Create(string name, GeneratedTaskSettings settings, ulong seed) => (name, settings) switch
    {
        (_, SortSettings sort) when name == $"sort{sort.Length}" => new SortTask(sort, seed),
        ("sort5" or "sort6", SortSettings sort) => throw new TaskSettingException("length", $"task.length = {sort.Length}: must be {name[4..]} for {name}"),
        ("sudoku", SudokuSettings sudoku) => new SudokuTask(sudoku, seed),
        ("countdown", CountdownSettings countdown) => new CountdownTask(countdown, seed),
        ("multiply", MultiplySettings multiply) => new MultiplyTask(multiply, seed),
        ("order", OrderSettings order) => new OrderTask(order, seed),
        ("serial", SerialSettings serial) => new SerialTask(serial, seed),
        _ when Names.Contains(name) => throw new TaskSettingException("name", $"task.name = {name}: cannot be made from {settings.GetType().Name}"),
        _ => throw new TaskSettingException("name", KnownNames.Unknown("task", name, Names)),
    };
}
