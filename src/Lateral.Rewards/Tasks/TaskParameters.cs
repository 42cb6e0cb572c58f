using System.Globalization;

namespace Lateral.Rewards.Tasks;

/// <summary>A task's keys as they stand in its configuration, read into its settings record; every key is needed and no other is known.</summary>
internal sealed class TaskParameters(string task, IReadOnlyDictionary<string, string> values)
{
    private readonly HashSet<string> _read = new(StringComparer.Ordinal);

    public static GeneratedTaskSettings Read(string task, IReadOnlyDictionary<string, string> values)
    {
        var parameters = new TaskParameters(task, values);
        GeneratedTaskSettings settings = task switch
        {
            "sudoku" => new SudokuSettings(parameters.Int("min-clues"), parameters.Int("max-clues"), parameters.Int("held-out-prompts")),
            "multiply" => new MultiplySettings(parameters.Int("left-digits"), parameters.Int("right-digits"), parameters.Switch("thoughts"), parameters.Int("held-out-prompts")),
            "countdown" => new CountdownSettings(
                parameters.Int("max-number"), parameters.Int("max-target"), parameters.Text("operators"), parameters.Int("held-out-prompts")),
            "serial" => new SerialSettings(parameters.Int("swaps"), parameters.Switch("worked"), parameters.Int("held-out-prompts")),
            "order" => new OrderSettings(parameters.Int("groups"), parameters.Int("held-out-prompts")),
            _ when task.StartsWith("sort", StringComparison.Ordinal) => new SortSettings(
                parameters.Int("length"), parameters.Double("descending-fraction"), parameters.Int("held-out-prompts")),
            _ => throw new TaskSettingException("name", KnownNames.Unknown("task", task, TaskRegistry.Names)),
        };
        parameters.RefuseOthers();
        return settings;
    }

    private int Int(string key) =>
        int.TryParse(Text(key), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var value)
            ? value
            : throw Wrong(key, "a whole number, for example 5");

    private double Double(string key) =>
        double.TryParse(Text(key), NumberStyles.Float, CultureInfo.InvariantCulture, out var value)
            ? value
            : throw Wrong(key, "a number, for example 0.5");

    private bool Switch(string key) => Text(key) switch { "on" => true, "off" => false, _ => throw Wrong(key, "on or off") };

    private string Text(string key)
    {
        _read.Add(key);
        return values.TryGetValue(key, out var value) ? value : throw new TaskSettingException(key, $"task.{key} is missing: {task} needs it");
    }

    private TaskSettingException Wrong(string key, string expected) => new(key, $"task.{key} = {values[key]}: must be {expected}");

    private void RefuseOthers()
    {
        if (values.Keys.FirstOrDefault(key => !_read.Contains(key)) is { } unknown)
            throw new TaskSettingException(unknown, KnownNames.Unknown($"{task} setting", unknown, [.. _read.Order(StringComparer.Ordinal)]));
    }
}
