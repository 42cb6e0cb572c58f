using System.Collections.Immutable;
using Lateral.Core.Prompts;
using Lateral.Rewards.Code;
using Lateral.Rewards.Data;

namespace Lateral.Rewards.Suites;

/// <summary>A problem of a suite.</summary>
/// <param name="Id">as its file names it, or its row</param>
/// <param name="Prompt">what the model is told</param>
/// <param name="Text">the row's own prompt, which verifiers see</param>
/// <param name="Reference">what the suite judges by</param>
public sealed record SuiteItem(string Id, string Prompt, string Text, string Reference);

/// <summary>A rule by which a completion can be right: a reward kind, and the keys that are not as the reference has them.</summary>
public sealed record SuiteRule(string Name, string Kind, ImmutableDictionary<string, string> Keys);

/// <summary>Problems people evaluate on: how their files are read, what a model is told, and when a completion is right.</summary>
/// <remarks>
/// gsm8k has the two rules of lm-evaluation-harness: <c>flexible</c>, the last number of the completion, and <c>strict</c>, the number behind ####. The problems are told in words of this program, so figures are not those of
/// other harnesses.
/// </remarks>
public sealed class Suite
{
    private static readonly Suite[] All =
    [
        new("gsm8k", ("flexible", "gsm8k", [("rule", "flexible")]), ("strict", "gsm8k", [("rule", "strict")])),
        new("math", ("boxed", "math", [("extract", "boxed")])),
        new("humaneval", ("tests", "code", [])),
        new("mbpp", ("tests", "code", [])),
        new("sudoku", ("answer", "sudoku-tags", [])),
        new("countdown", ("answer", "countdown-tags", [])),
    ];

    private readonly RowFormat _format;

    private Suite(string name, params (string Name, string Kind, (string Key, string Value)[] Keys)[] rules) =>
        (_format, Rules) = (RowFormats.Of(name), [.. rules.Select(rule => new SuiteRule(rule.Name, rule.Kind, rule.Keys.ToImmutableDictionary(key => key.Key, key => key.Value)))]);

    public static IReadOnlyList<string> Names { get; } = [.. All.Select(suite => suite.Name)];

    public string Name => _format.Name;

    /// <summary>The one that counts first.</summary>
    public ImmutableArray<SuiteRule> Rules { get; }

    /// <summary>Whether completions are programs, which need a sandbox to be judged.</summary>
    public bool RunsPrograms => Rules.Any(rule => rule.Kind == "code");

    /// <exception cref="ArgumentException">there is no such suite; names those that are</exception>
    public static Suite Of(string name) => All.FirstOrDefault(suite => suite.Name == name) ?? throw new ArgumentException(KnownNames.Unknown("suite", name, Names), nameof(name));

    /// <exception cref="DataException">the file is missing, empty or of another form; the first fault is reported</exception>
    public ImmutableArray<SuiteItem> Read(string path)
    {
        var items = ImmutableArray.CreateBuilder<SuiteItem>();
        foreach (var line in RowFile.Rows(path))
        {
            using var row = JsonRow.Of(line, _format.Example);
            var item = _format.Item(row, new DataColumns(null, null, null));
            items.Add(new SuiteItem(row.Has("task_id") ? row.Name("task_id") : $"{Name}/{items.Count}", Instructions.Tell(_format, "own", item), item.Prompt, item.Reference));
        }

        return items.Count > 0 ? items.ToImmutable() : throw new DataException(path, 0, 0, "has no rows", "there is nothing to evaluate", "check that this is the file you mean");
    }

    /// <summary>What a program is in the form that the suite's own checker reads; null where completions are none.</summary>
    public IReadOnlyDictionary<string, string>? Submission(SuiteItem item, string completion) =>
        RunsPrograms ? new Dictionary<string, string>(StringComparer.Ordinal) { ["task_id"] = item.Id, ["completion"] = CompletionCode.Block(completion) } : null;
}
