using Lateral.Benchmarks.Measuring;
using static Lateral.Benchmarks.Measuring.Report;

namespace Lateral.Benchmarks.Runs;

/// <summary>
/// The experiment of docs/open-questions.md on what is rewarded and what is scored: {the outcome, what each step has made better} by {the trajectory's own likelihood, a surrogate}. One base a seed,
/// the same prompts and steps in all arms. Resumable.
/// </summary>
internal static class CreditExperiment
{
    private const string Conf = "tasks/sort6.conf";

    private static readonly (string Label, string Name, string Sets)[] Arms =
    [
        ("trajectory, outcome", "exact-outcome", "likelihood = trajectory, advantage = group-mean"),
        ("trajectory, step", "exact-step", "likelihood = trajectory, advantage = step-return"),
        ("coupled, outcome", "surrogate-outcome", "likelihood = coupled, advantage = group-mean"),
        ("coupled, step", "surrogate-step", "likelihood = coupled, advantage = step-return"),
    ];

    public static async Task RunAsync(Options options, Report report)
    {
        using var folder = new TemporaryFolder(options.RunsDir);
        List<string[]> rows = [["sort6, pass@1", "rollout.steps", "before", "step 25", "step 50", "step 100", "greedy", "seconds a step"]];
        foreach (var steps in options.Quick ? [3] : new[] { 3, 6 })
        {
            foreach (var (label, name, sets) in Arms)
            {
                var runs = new List<RunFiles>();
                for (var seed = 1; seed <= options.Seeds; seed++) runs.Add(await TrainAsync(folder.Path, name, sets, steps, seed, options.Quick));
                double[] At(int step) => [.. runs.Select(run => run.Evaluations().First(evaluation => evaluation.Step >= step)["eval/pass_at_1"])];
                rows.Add(
                [
                    label, $"{steps}", MeanAndRange(At(0)), MeanAndRange(At(25)), MeanAndRange(At(50)), MeanAndRange(At(100)),
                    Number(runs.Average(run => run.Evaluations()[^1]["eval/greedy"]), ".000"), Number(runs.Average(run => run.Steps().Average(step => step["time/seconds"])), "0.00"),
                ]);
                Console.Error.WriteLine(string.Join("  ", rows[^1]));
            }
        }

        report.Table(rows);
        report.Line($"mean (least-greatest) of {options.Seeds} seeds");
    }

    private static async Task<RunFiles> TrainAsync(string folder, string name, string sets, int steps, int seed, bool quick)
    {
        string[] common =
        [
            $"run.seed = {seed}", "deterministic = on", "checkpoint.every = 100", "eval { every = 25, prompts = 1024, final-prompts = 1024, samples = 2 }", "staleness.max-versions = 2",
            .. quick ? ["warmup.steps = 40", "eval { prompts = 64, final-prompts = 64, every = 5 }"] : Array.Empty<string>(),
        ];
        var start = await RealRun.TrainBaseAsync(Conf, folder, $"credit-base-{seed}", common);
        return await RealRun.TrainAsync(
            Conf, folder, $"credit-{name}-{steps}-{seed}",
            [.. common, $"rollout.steps = {steps}", $"run.steps = {(quick ? 10 : 100)}", $"algorithm {{ lr = 2e-4, granularity = token, clip-epsilon = 0.2, dual-clip = 0, {sets} }}", $"model.path = {start.Base}", "warmup.steps = 0"]);
    }
}
