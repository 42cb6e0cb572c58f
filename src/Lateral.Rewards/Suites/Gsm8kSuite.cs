using System.Collections.Immutable;
using Lateral.Rewards.Data;
using Lateral.Rewards.Mathematics;

namespace Lateral.Rewards.Suites;

/// <summary>
/// Grade-school mathematics (Cobbe et al., arXiv 2110.14168): rows of question and answer, which ends with <c>#### 18</c>. Two rules, as lm-evaluation-harness has them: <c>strict</c>, the number behind
/// ####; <c>flexible</c>, the last number of the completion.
/// </summary>
internal sealed class Gsm8kSuite() : RowSuite("gsm8k", """{"question": "Two and three?", "answer": "2 + 3 = 5\n#### 5"}""")
{
    public override IReadOnlyList<string> Rules => Gsm8kAnswer.Rules;

    public override ImmutableArray<bool> Judge(SuiteItem item, string completion) => [.. Rules.Select(rule => Gsm8kAnswer.Of(completion, rule) is { } answer && Gsm8kAnswer.AreEqual(answer, item.Reference))];

    private protected override SuiteItem Item(JsonRow row, string id) => new(
        id,
        $"{row.Text("question")}\n\nWork it out step by step. End with a line that holds #### and the number that is the answer, nothing else.",
        Gsm8kAnswer.Reference(row.Text("answer")));
}
