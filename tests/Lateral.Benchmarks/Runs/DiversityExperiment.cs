using Lateral.Benchmarks.Measuring;
using static Lateral.Benchmarks.Measuring.Report;

namespace Lateral.Benchmarks.Runs;

/// <summary>
/// The experiment of docs/open-questions.md on how many different right answers a model keeps: a diffusion model with a fixed and with a learned order and its autoregressive twin, before and after
/// the same number of steps of reinforcement learning, on tasks with many right answers. Resumable.
/// </summary>
internal static class DiversityExperiment
{
    private const string Twin = "model.attention = causal, warmup.objective = next-token, rollout { reveal = left-to-right, steps = null }";

    private static readonly (string Task, string Label, string Name, string Base, string Sets)[] Arms =
    [
        ("order", "low-confidence, 2 steps", "fixed", "masked", "rollout.reveal = low-confidence"),
        ("order", "learned order, 2 steps", "learned", "masked", "rollout.reveal = unmasking-policy, algorithm.unmasking-rate = 30"),
        ("order", "random, a token a step", "random", "masked", "rollout { reveal = random, steps = null }"),
        ("order", "autoregressive twin", "twin", "causal", Twin),
        ("countdown", "max-prob, 4 steps", "fixed", "masked", "rollout.steps = 4"),
        ("countdown", "random, a token a step", "random", "masked", "rollout { reveal = random, steps = null }"),
        ("countdown", "autoregressive twin", "twin", "causal", Twin),
    ];

    public static async Task RunAsync(Options options, Report report)
    {
        using var folder = new TemporaryFolder(options.RunsDir);
        List<string[]> rows = [["", "task", "pass@1 before", "after", "pass@64 before", "after", "right answers before", "after"]];
        foreach (var (task, label, name, kind, sets) in Arms)
        {
            var runs = new List<RunFiles>();
            for (var seed = 1; seed <= options.Seeds; seed++) runs.Add(await TrainAsync(folder.Path, task, name, kind, sets, seed, options.Quick));
            string Before(string metric, string format) => Number(runs.Average(run => run.Evaluations()[0][metric]), format);
            string After(string metric, string format) => Number(runs.Average(run => run.Evaluations()[^1][metric]), format);
            rows.Add([label, task, Before("eval/pass_at_1", ".000"), After("eval/pass_at_1", ".000"), Before("eval/pass_at_k", ".000"), After("eval/pass_at_k", ".000"), Before("eval/distinct_correct", "0.0"), After("eval/distinct_correct", "0.0")]);
            Console.Error.WriteLine(string.Join("  ", rows[^1]));
        }

        report.Table(rows);
        report.Line($"means of {options.Seeds} seeds; right answers: different ones among a prompt's 64 samples");
    }

    private static async Task<RunFiles> TrainAsync(string folder, string task, string name, string kind, string sets, int seed, bool quick)
    {
        string[] common =
        [
            $"run.seed = {seed}", "checkpoint.every = 100", "eval { every = 0, final-prompts = 256, samples = 64 }", "staleness.max-versions = 2",
            .. quick ? ["warmup.steps = 40", "eval { final-prompts = 16, samples = 8 }"] : Array.Empty<string>(),
        ];
        var conf = $"tasks/{task}.conf";
        var start = await RealRun.TrainBaseAsync(conf, folder, $"diversity-{task}-{kind}-base-{seed}", [.. common, .. kind == "causal" ? [Twin] : Array.Empty<string>()]);
        return await RealRun.TrainAsync(
            conf, folder, $"diversity-{task}-{name}-{seed}",
            [.. common, "algorithm { likelihood = trajectory, granularity = step, advantage = group-z, lr = 1e-4, clip-epsilon = 0.2, dual-clip = 0 }", sets, $"run.steps = {(quick ? 5 : 80)}", $"model.path = {start.Base}", "warmup.steps = 0"]);
    }
}
