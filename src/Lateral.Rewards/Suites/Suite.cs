using System.Collections.Immutable;

namespace Lateral.Rewards.Suites;

/// <summary>A problem of a suite.</summary>
/// <param name="Id">as its file names it, or its row</param>
/// <param name="Prompt">what the model is told</param>
/// <param name="Reference">what the suite judges by</param>
public sealed record SuiteItem(string Id, string Prompt, string Reference);

/// <summary>Problems people evaluate on: how their files are read, what a model is told, and when a completion is right.</summary>
public interface ISuite
{
    string Name { get; }

    /// <summary>The rules by which a completion can be right, the one that counts first; empty = nothing is judged here.</summary>
    IReadOnlyList<string> Rules { get; }

    /// <exception cref="Data.DataException">the file is missing, empty or of another form; the first fault is reported</exception>
    ImmutableArray<SuiteItem> Read(string path);

    /// <summary>One verdict for each of <see cref="Rules"/>.</summary>
    ImmutableArray<bool> Judge(SuiteItem item, string completion);

    /// <summary>What a completion is in the form that the suite's own checker reads; null where there is none.</summary>
    IReadOnlyDictionary<string, string>? Submission(SuiteItem item, string completion) => null;
}

/// <summary>The suites by name.</summary>
public static class SuiteCatalogue
{
    private static readonly ISuite[] All = [new Gsm8kSuite(), new MathSuite(), new CodeSuite("humaneval"), new CodeSuite("mbpp"), new SudokuSuite(), new CountdownSuite()];

    public static IReadOnlyList<string> Names { get; } = [.. All.Select(suite => suite.Name)];

    /// <exception cref="ArgumentException">there is no such suite; names those that are</exception>
    public static ISuite Of(string name) => All.FirstOrDefault(suite => suite.Name == name) ?? throw new ArgumentException(KnownNames.Unknown("suite", name, Names), nameof(name));
}
