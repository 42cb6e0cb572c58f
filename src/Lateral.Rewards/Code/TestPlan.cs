using System.Collections.Immutable;
using System.Text.Json;

namespace Lateral.Rewards.Code;

/// <summary>An assertion without the program: what to call, and what has to come of it.</summary>
/// <param name="Call">an expression for the program's own sandbox</param>
/// <param name="Operation">eq, ne, is, is-not, true, false; below and within: |result - value| &lt; or &lt;= tolerance</param>
internal sealed record CodeTest(string Call, string Operation, PyValue? Value, PyValue? Tolerance)
{
    public bool Passes(PyValue result) => result is not PyValue.Raised && Operation switch
    {
        "eq" => PyEquality.Instance.Equals(result, Value),
        // What has no plain form differs from every value that has one.
        "ne" => !PyEquality.Instance.Equals(result, Value),
        "is" => Identical(result),
        "is-not" => !Identical(result),
        "true" => result.IsTrue == true,
        "false" => result.IsTrue == false,
        "below" => Distance(result) is { } distance && distance < Number(Tolerance),
        "within" => Distance(result) is { } distance && distance <= Number(Tolerance),
        _ => throw new InvalidOperationException($"no comparison is called {Operation}"),
    };

    /// <summary>Only None, True and False are compared so.</summary>
    private bool Identical(PyValue result) => (result, Value) switch
    {
        (PyValue.None, PyValue.None) => true,
        (PyValue.Int { IsBool: true } a, PyValue.Int b) => a.Value == b.Value,
        _ => false,
    };

    private double? Distance(PyValue result) => Number(result) - Number(Value) is { } difference ? Math.Abs(difference) : null;

    private static double? Number(PyValue? value) => value switch
    {
        PyValue.Int number => (double)number.Value,
        PyValue.Float number => number.Value,
        _ => null,
    };
}

/// <summary>A problem's tests, taken apart without any model's program.</summary>
internal abstract record TestPlan
{
    private TestPlan()
    {
    }

    /// <summary>Every assertion is a call and a value: nothing of what is right enters a program's sandbox.</summary>
    public sealed record Apart(ImmutableArray<CodeTest> Tests) : TestPlan;

    /// <summary>Some assertion needs Python to decide: the tests run again, in a sandbox without the program, with the plain values that its calls gave.</summary>
    public sealed record Whole(int Tests, ImmutableArray<string> Calls) : TestPlan;

    /// <summary>The tests cannot be run without the program, or not at all.</summary>
    public sealed record Refused(string Cause) : TestPlan;

    /// <summary>What take_apart.py writes.</summary>
    public static TestPlan Read(string json)
    {
        using var document = JsonDocument.Parse(json, new JsonDocumentOptions { MaxDepth = 200 });
        var told = document.RootElement;
        if (told.TryGetProperty("refused", out var cause)) return new Refused(cause.GetString()!);
        JsonElement[] tests = [.. told.GetProperty("tests").EnumerateArray()];
        if (tests.Length == 0) return new Refused("they assert nothing");
        if (tests.Any(test => test.GetProperty("operation").GetString() == "whole")) return new Whole(tests.Length, [.. told.GetProperty("calls").EnumerateArray().Select(call => call.GetString()!)]);
        return new Apart([.. tests.Select(test => new CodeTest(test.GetProperty("call").GetString()!, test.GetProperty("operation").GetString()!, Value(test, "value"), Value(test, "tolerance")))]);
    }

    private static PyValue? Value(JsonElement test, string name) => test.TryGetProperty(name, out var value) ? PyValue.Of(value) : null;
}
