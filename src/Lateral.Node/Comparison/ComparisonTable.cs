using System.Collections.Immutable;
using System.Globalization;

namespace Lateral.Node.Comparison;

/// <summary>What came of each algorithm, as Markdown: means over the seeds, and in brackets the least and the greatest.</summary>
internal static class ComparisonTable
{
    private static readonly string[] Head = ["algorithm", "steps", "rollouts", "reward of the last fifth", "held-out pass@1"], Supervised = ["algorithm", "steps", "examples", "loss of the last fifth", "held-out pass@1"];

    public static IEnumerable<string> Lines(ImmutableArray<ComparedAlgorithm> algorithms, ImmutableArray<ComparedRun> runs)
    {
        foreach (var (title, head, rows) in new[]
        {
            ("", Head, algorithms.Where(algorithm => !algorithm.IsPreference && !algorithm.IsSupervised)), ("preferences, which see one pair of each group", Head, algorithms.Where(algorithm => algorithm.IsPreference)),
            ("supervised, which see the corpus and no reward", Supervised, algorithms.Where(algorithm => algorithm.IsSupervised)),
        })
        {
            if (!rows.Any()) continue;
            if (title.Length > 0)
            {
                yield return "";
                yield return $"{title}:";
            }

            yield return "";
            yield return Row(head);
            yield return Row([.. head.Select(_ => "---")]);
            foreach (var algorithm in rows.OrderByDescending(algorithm => Best(runs, algorithm))) yield return Row(Cells(algorithm, [.. runs.Where(run => run.Algorithm == algorithm.Name)]));
        }
    }

    private static double Best(ImmutableArray<ComparedRun> runs, ComparedAlgorithm algorithm) =>
        runs.Where(run => run.Algorithm == algorithm.Name && run.Failure is null).Select(run => run.PassAt1).DefaultIfEmpty(-1).Average();

    private static string[] Cells(ComparedAlgorithm algorithm, ImmutableArray<ComparedRun> runs)
    {
        ImmutableArray<ComparedRun> ended = [.. runs.Where(run => run.Failure is null)];
        var failed = runs.Length - ended.Length;
        var name = failed == 0 ? algorithm.Name : $"{algorithm.Name} ({failed} of {runs.Length} failed: {runs.First(run => run.Failure is not null).Failure})";
        if (ended.IsEmpty) return [name, "-", "-", "-", "-"];
        return
        [
            name, Mean(ended, run => algorithm.IsSupervised ? run.Steps[^1].Rollouts / algorithm.Settings.Warmup.Batch : run.Steps.Length, "0"), Mean(ended, run => run.Steps[^1].Rollouts, "#,0"),
            Spread(ended, run => run.LateReward), Spread(ended, run => run.PassAt1),
        ];
    }

    private static string Mean(ImmutableArray<ComparedRun> runs, Func<ComparedRun, double> value, string format) => runs.Average(value).ToString(format, CultureInfo.InvariantCulture);

    private static string Spread(ImmutableArray<ComparedRun> runs, Func<ComparedRun, double> value) => runs.Length == 1
        ? Mean(runs, value, "0.000")
        : string.Create(CultureInfo.InvariantCulture, $"{runs.Average(value):0.000} [{runs.Min(value):0.000}, {runs.Max(value):0.000}]");

    private static string Row(string[] cells) => $"| {string.Join(" | ", cells)} |";
}
