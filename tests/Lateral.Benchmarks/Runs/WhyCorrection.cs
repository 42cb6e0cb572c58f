using Lateral.Benchmarks.Measuring;
using static Lateral.Benchmarks.Measuring.Report;

namespace Lateral.Benchmarks.Runs;

/// <summary>One arm of the experiment: a conf, run once per seed.</summary>
internal sealed record CorrectionArm(string Label, string Conf, IReadOnlyList<RunFiles> Runs)
{
    /// <summary>Mean of a metric over a run's steps from the tenth of the run on, where lags have filled up.</summary>
    public static double Mean(RunFiles run, string metric)
    {
        var steps = run.Steps();
        return steps.Skip(steps.Count / 10).Average(step => step[metric]);
    }
}

/// <summary>
/// The experiment of docs/why-correction.md: one learning rate, fresh rollouts, stale ones without and with correction; same
/// base and prompts in the arms of a seed. One run at a time; runs that are there already are read.
/// </summary>
internal static class WhyCorrection
{
    private static readonly (string Label, string Name)[] Arms =
        [("synchronous", "synchronous"), ("staleness 4, none", "none"), ("staleness 4, behaviour-clip", "behaviour-clip")];

    public static async Task RunAsync(Options options, Report report)
    {
        using var folder = new TemporaryFolder(options.RunsDir);
        var runs = Arms.ToDictionary(arm => arm.Name, _ => new List<RunFiles>());
        for (var seed = 1; seed <= options.Seeds; seed++)
        {
            string[] sets = [$"run.seed={seed}", .. options.Quick ? ["run.steps=20", "warmup.steps=60", "eval.final-prompts=64"] : Array.Empty<string>()];
            foreach (var (_, name) in Arms)
            {
                // The synchronous run warms the base up; the others start from its weights, which are those they would make themselves.
                string[] start = runs["synchronous"].Count < seed ? [] : [$"model.path={runs["synchronous"][seed - 1].Base}", "warmup.steps=0"];
                runs[name].Add(await RealRun.TrainAsync($"experiments/why-correction-{name}.conf", folder.Path, $"why-correction-{name}-{seed}", [.. sets, .. start]));
            }
        }

        var arms = Arms.Select(arm => new CorrectionArm(arm.Label, arm.Name, runs[arm.Name])).ToList();
        Print(arms, report);
        var plot = options.Quick ? Path.Combine(Path.GetTempPath(), "why-correction.png") : Path.Combine(Repository.Root, "docs", "why-correction.png");
        CorrectionPlot.Save(arms, plot);
        report.Line($"plot in {plot}");
    }

    private static void Print(List<CorrectionArm> arms, Report report)
    {
        List<string[]> rows = [["", "seed", "pass@1 before", "best of 512", "pass@1 after", "greedy after", "pass@8 after", "staleness", "kl/behaviour", "ess", "outside clip"]];
        foreach (var arm in arms)
        {
            foreach (var (index, run) in arm.Runs.Index())
            {
                var evaluations = run.Evaluations();
                var (before, after) = (evaluations[0], evaluations[^1]);
                rows.Add(
                [
                    index == 0 ? arm.Label : "", $"{index + 1}", Number(before["eval/pass_at_1"], "0.000"),
                    Number(evaluations.Max(evaluation => evaluation["eval/pass_at_1"]), "0.000"), Number(after["eval/pass_at_1"], "0.000"),
                    Number(after["eval/greedy"], "0.000"), Number(after["eval/pass_at_k"], "0.000"), Number(CorrectionArm.Mean(run, "staleness/mean"), "0.00"),
                    Number(CorrectionArm.Mean(run, "kl/behaviour"), "0.000"), Number(CorrectionArm.Mean(run, "ratio/ess"), "0.00"),
                    Number(CorrectionArm.Mean(run, "ratio/clip_fraction"), "0.000"),
                ]);
            }
        }

        report.Table(rows);
        report.Line($"last four columns: means over the steps after the first tenth. pass@1 after, mean over seeds: {string.Join(", ", arms.Select(arm => $"{arm.Label} {Number(arm.Runs.Average(run => run.Evaluations()[^1]["eval/pass_at_1"]), "0.000")}"))}");
    }
}
