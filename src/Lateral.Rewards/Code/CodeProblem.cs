using System.Collections.Immutable;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Lateral.Rewards.Code;

/// <summary>
/// A problem whose tests are programs: what the reference of the reward kind <c>code</c> holds, as one JSON text. Example:
/// <c>{"setup":"import math","tests":["assert area(1) == math.pi"]}</c>.
/// </summary>
public abstract record CodeProblem
{
    private CodeProblem()
    {
    }

    /// <summary>A function to complete (Chen et al., arXiv 2107.03374).</summary>
    /// <param name="Prompt">the program's beginning, up to the function's docstring</param>
    /// <param name="EntryPoint">the function's name</param>
    /// <param name="Test">a program that defines <c>check(candidate)</c></param>
    public sealed record HumanEval(string Prompt, string EntryPoint, string Test) : CodeProblem;

    /// <summary>A program with a list of assertions (Austin et al., arXiv 2108.07732).</summary>
    /// <param name="Setup">runs after the program and before the tests; often empty</param>
    /// <param name="Tests">statements, mostly <c>assert f(args) == literal</c>; at least one</param>
    public sealed record Mbpp(string Setup, ImmutableArray<string> Tests) : CodeProblem;

    /// <summary>The form that <see cref="Read"/> reads.</summary>
    public string ToReference() => (this switch
    {
        HumanEval problem => new JsonObject { ["prompt"] = problem.Prompt, ["entry_point"] = problem.EntryPoint, ["test"] = problem.Test },
        Mbpp problem => new JsonObject { ["setup"] = problem.Setup, ["tests"] = new JsonArray([.. problem.Tests.Select(test => (JsonNode)test)]) },
        _ => throw new InvalidOperationException($"a problem of the form {GetType().Name}"),
    }).ToJsonString();

    /// <summary>Null where the text is not a problem: no JSON, a field that is missing or of another type, no test, or a test without text.</summary>
    public static CodeProblem? Read(string reference)
    {
        try
        {
            using var document = JsonDocument.Parse(reference);
            return document.RootElement.ValueKind == JsonValueKind.Object ? Read(document.RootElement) : null;
        }
        catch (Exception unreadable) when (unreadable is JsonException or InvalidOperationException)
        {
            // The latter is thrown for half of an escaped surrogate pair.
            return null;
        }
    }

    private static CodeProblem? Read(JsonElement row)
    {
        if (Text(row, "prompt") is { } prompt) return Text(row, "entry_point") is { Length: > 0 } entry && Text(row, "test") is { } test && !string.IsNullOrWhiteSpace(test) ? new HumanEval(prompt, entry, test) : null;
        if (!row.TryGetProperty("tests", out var tests) || tests.ValueKind != JsonValueKind.Array || tests.GetArrayLength() == 0) return null;
        var setup = row.TryGetProperty("setup", out _) ? Text(row, "setup") : "";
        if (setup is null || tests.EnumerateArray().Any(one => one.ValueKind != JsonValueKind.String || string.IsNullOrWhiteSpace(one.GetString()))) return null;
        return new Mbpp(setup, [.. tests.EnumerateArray().Select(one => one.GetString()!)]);
    }

    private static string? Text(JsonElement row, string name) => row.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;
}
