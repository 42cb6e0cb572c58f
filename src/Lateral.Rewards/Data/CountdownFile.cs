using System.Globalization;
using Lateral.Core.Prompts;
using Lateral.Rewards.Arithmetic;
using Lateral.Rewards.Tasks;

namespace Lateral.Rewards.Data;

/// <summary>Countdown rows: <c>{"input": "30,100,93", "output": "23"}</c>, one JSON object a line.</summary>
internal static class CountdownFile
{
    private const string Example = """{"input": "30,100,93", "output": "23"}""";

    public static IEnumerable<TaskItem> Parse(IEnumerable<DataLine> lines) => lines.Select(Row);

    private static TaskItem Row(DataLine line)
    {
        using var row = JsonRow.Of(line, Example);
        var (input, output) = (row.Text("input"), row.Text("output"));
        int[] numbers = [.. input.Split(',').Select(number => Number(line, "input", number))];
        if (numbers.Length != CountdownText.Numbers)
            throw line.Wrong(1, $"input has {numbers.Length} numbers", $"prompts have room for {CountdownText.Numbers}", "use the three-number data set");
        var target = Number(line, "output", output);
        if (CountdownSolver.Solve(numbers, target) is not { } solution)
            throw line.Wrong(1, $"no expression of {input} has the value {target}", "every answer would be wrong", "correct or remove the row");
        return new TaskItem(CountdownText.Prompt(numbers, target), solution.ToString(), CountdownText.Reference(numbers, target));
    }

    private static int Number(DataLine line, string field, string text) =>
        int.TryParse(text.Trim(), NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number <= CountdownText.Largest
            ? number
            : throw line.Wrong(
                1, $"'{field}' has '{text}'", $"its numbers are whole, 0 to {CountdownText.Largest}: prompts write three digits", "correct or remove the row");
}
