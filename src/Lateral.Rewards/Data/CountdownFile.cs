using System.Globalization;
using System.Text.Json;
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
        var (input, output) = Fields(line);
        int[] numbers = [.. input.Split(',').Select(number => Number(line, "input", number))];
        if (numbers.Length != CountdownText.Numbers)
            throw line.Wrong(1, $"input has {numbers.Length} numbers", $"prompts have room for {CountdownText.Numbers}", "use the three-number data set");
        var target = Number(line, "output", output);
        if (CountdownSolver.Solve(numbers, target) is not { } solution)
            throw line.Wrong(1, $"no expression of {input} has the value {target}", "every answer would be wrong", "correct or remove the row");
        return new TaskItem(CountdownText.Prompt(numbers, target), solution.ToString(), CountdownText.Reference(numbers, target));
    }

    private static (string Input, string Output) Fields(DataLine line)
    {
        try
        {
            using var document = JsonDocument.Parse(line.Text);
            var row = document.RootElement;
            if (row.ValueKind != JsonValueKind.Object) throw line.Wrong(1, $"is a JSON {row.ValueKind}", "a row is an object", $"write {Example}");
            return (Field(line, row, "input"), Field(line, row, "output"));
        }
        catch (JsonException e)
        {
            throw line.Wrong((int)(e.BytePositionInLine ?? 0) + 1, "is not valid JSON", "a row is one JSON object", $"write {Example}");
        }
    }

    private static string Field(DataLine line, JsonElement row, string name)
    {
        if (!row.TryGetProperty(name, out var value))
        {
            var has = string.Join(", ", row.EnumerateObject().Select(property => property.Name));
            throw line.Wrong(1, $"has no '{name}'", $"its fields are {{{has}}}", $"write {Example}");
        }

        return value.ValueKind == JsonValueKind.String
            ? Text(line, name, value)
            : throw line.Wrong(1, $"'{name}' is a JSON {value.ValueKind}", "it is a string", $"write {Example}");
    }

    private static string Text(DataLine line, string name, JsonElement value)
    {
        try
        {
            return value.GetString()!;
        }
        catch (InvalidOperationException)
        {
            throw line.Wrong(1, $"'{name}' is not text", "it escapes half of a surrogate pair", $"write {Example}");
        }
    }

    private static int Number(DataLine line, string field, string text) =>
        int.TryParse(text.Trim(), NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number <= CountdownText.Largest
            ? number
            : throw line.Wrong(
                1, $"'{field}' has '{text}'", $"its numbers are whole, 0 to {CountdownText.Largest}: prompts write three digits", "correct or remove the row");
}
