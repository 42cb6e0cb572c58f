using System.Collections.Immutable;
using Lateral.Rewards.Code;
using Lateral.Rewards.Data;

namespace Lateral.Rewards.Suites;

/// <summary>
/// Programs that tests decide about: HumanEval (Chen et al., arXiv 2107.03374) and MBPP (Austin et al., arXiv 2108.07732). What a model writes is never run here: completions are written in the form that
/// the suites' own checkers read.
/// </summary>
internal sealed class CodeSuite(string name) : RowSuite(name, name == "mbpp" ? """{"task_id": 1, "text": "Write a function that ...", "test_list": ["assert f(1) == 2"]}""" : """{"task_id": "HumanEval/0", "prompt": "def f(x):\n"}""")
{
    public override IReadOnlyList<string> Rules => [];

    public override ImmutableArray<bool> Judge(SuiteItem item, string completion) => [];

    public override IReadOnlyDictionary<string, string> Submission(SuiteItem item, string completion) => new Dictionary<string, string>(StringComparer.Ordinal) { ["task_id"] = item.Id, ["completion"] = CompletionCode.Block(completion) };

    private protected override SuiteItem Item(JsonRow row, string id)
    {
        if (Name == "humaneval") return new(row.Name("task_id"), $"Complete this Python function. Answer with the whole function in one code block.\n\n```python\n{row.Text("prompt")}```", "");
        var tests = row.Texts("test_list") ?? [];
        return new(row.Name("task_id"), $"{row.Text("text", "prompt")}\n\nYour Python code has to pass:\n{string.Join('\n', tests)}\n\nAnswer with one code block.", "");
    }
}
