using System.Globalization;

namespace Lateral.Simulation.Tests;

/// <summary>Which seeds a test run takes.</summary>
internal static class Seeds
{
    public const string Variable = "LATERAL_SIMULATION_SEEDS";

    /// <summary>A count, or <c>FIRST..LAST</c>, from the environment; else 2,000 and 400 stormy ones.</summary>
    public static IReadOnlyList<ulong> Chosen() =>
        Environment.GetEnvironmentVariable(Variable) is { } text ? Range(text) : [.. Range("2000"), .. Range($"{Scenario.Stormy + 1}..{Scenario.Stormy + 400}")];

    public static IReadOnlyList<ulong> Range(string text)
    {
        var (first, last) = text.Split("..") is [var from, var to] ? (Parse(from, text), Parse(to, text)) : (1UL, Parse(text, text));
        return [.. Enumerable.Range(0, checked((int)(last + 1 - first))).Select(offset => first + (ulong)offset)];
    }

    /// <summary>The seeds of failing-seeds.txt, whose lines are a seed and what it found.</summary>
    public static IReadOnlyList<ulong> Kept() =>
    [
        .. File.ReadLines(Path.Combine(AppContext.BaseDirectory, "failing-seeds.txt")).Where(line => line.Length > 0 && line[0] != '#').Select(line => Parse(line.Split(' ')[0], line)),
    ];

    private static ulong Parse(string number, string text) =>
        ulong.TryParse(number, NumberStyles.None, CultureInfo.InvariantCulture, out var seed) ? seed : throw new FormatException($"'{text}' is no seeds: write a count, for example 2000, or FIRST..LAST");
}
