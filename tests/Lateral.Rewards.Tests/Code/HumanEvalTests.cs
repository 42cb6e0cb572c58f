using System.Globalization;
using System.IO.Compression;
using System.Text.Json;
using Lateral.Core.Rewards;
using Lateral.Rewards.Code;
using Lateral.Rewards.Tests.Sandbox;
using Lateral.Tests;
using Xunit.Abstractions;

namespace Lateral.Rewards.Tests.Code;

/// <summary>The published problems with their own solutions: what is right passes, what is wrong does not.</summary>
public sealed class HumanEvalTests(CodeFixture fixture, ITestOutputHelper output) : IClassFixture<CodeFixture>
{
    private sealed record Row(string Id, CodeProblem.HumanEval Problem, string Solution);

    [SharedSandboxFact]
    public async Task Every_canonical_solution_must_pass_and_every_broken_one_must_fail()
    {
        var rows = Rows();
        Assert.Equal(164, rows.Count);
        var start = System.Diagnostics.Stopwatch.GetTimestamp();
        var (wrong, whole) = (new List<string>(), new List<string>());
        await Parallel.ForEachAsync(rows, new ParallelOptions { MaxDegreeOfParallelism = 2 }, async (row, cancellation) =>
        {
            foreach (var (what, completion, value) in Completions(row))
            {
                var outcome = await fixture.ScoreAsync(row.Problem, completion);
                var right = outcome is RewardOutcome.Scored scored && (value == 1 ? scored.Value == 1 : scored.Breakdown["answer"] == 0) && scored.Breakdown["syntax"] == 1;
                lock (wrong)
                {
                    if (!right) wrong.Add($"{row.Id} {what}: {outcome}");
                    if (what == "body" && outcome is RewardOutcome.Scored told && told.Breakdown["trusted"] == 0) whole.Add(row.Id);
                }
            }
        });
        output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{4 * rows.Count} programs in {System.Diagnostics.Stopwatch.GetElapsedTime(start).TotalSeconds:0.0} s; decided by Python: {string.Join(", ", whole)}"));
        foreach (var line in wrong) output.WriteLine(line);
        Assert.Empty(wrong);
        // 32 calculates with the result; 33 compares some results with the function's own.
        Assert.Equal(["HumanEval/32", "HumanEval/33"], whole.Order(StringComparer.Ordinal));
    }

    private static IEnumerable<(string What, string Completion, double Value)> Completions(Row row)
    {
        yield return ("body", row.Solution, 1);
        yield return ("whole function in a block", $"Here it is:\n```python\n{row.Problem.Prompt}{row.Solution}```\nDone.", 1);
        yield return ("return None", "    return None\n", 0);
        yield return ("raise", "    raise ValueError('no')\n", 0);
    }

    private static List<Row> Rows()
    {
        using var reader = new StreamReader(new GZipStream(File.OpenRead(SharedFolder.Path("data", "humaneval", "HumanEval.jsonl.gz")), CompressionMode.Decompress));
        var rows = new List<Row>();
        while (reader.ReadLine() is { } line)
        {
            using var row = JsonDocument.Parse(line);
            rows.Add(new(Text("task_id"), new CodeProblem.HumanEval(Text("prompt"), Text("entry_point"), Text("test")), Text("canonical_solution")));

            string Text(string name) => row.RootElement.GetProperty(name).GetString()!;
        }

        return rows;
    }
}
