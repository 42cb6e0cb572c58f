using System.Collections.Immutable;
using Lateral.Rewards.Data;
using Lateral.Rewards.Mathematics;

namespace Lateral.Rewards.Suites;

/// <summary>
/// Competition mathematics (Hendrycks et al., arXiv 2103.03874): rows of a problem and its answer, which may stand in the last \boxed{} of a solution. A completion is right where its last \boxed{} equals
/// the reference (<see cref="MathAnswer"/>).
/// </summary>
internal sealed class MathSuite() : RowSuite("math", """{"problem": "Compute $1+1$.", "answer": "2"}""")
{
    public override IReadOnlyList<string> Rules { get; } = ["boxed"];

    public override ImmutableArray<bool> Judge(SuiteItem item, string completion) => [FinalAnswer.Boxed(completion) is { } answer && MathAnswer.AreEqual(answer, item.Reference)];

    private protected override SuiteItem Item(JsonRow row, string id)
    {
        var answer = row.Text("ground_truth_answer", "answer", "solution");
        return new(id, $"{row.Text("problem", "question")}\n\nWork it out step by step and put the final answer into \\boxed{{}}.", FinalAnswer.Boxed(answer) ?? answer);
    }
}
