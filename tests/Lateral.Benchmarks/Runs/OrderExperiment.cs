using Lateral.Benchmarks.Measuring;
using static Lateral.Benchmarks.Measuring.Report;

namespace Lateral.Benchmarks.Runs;

/// <summary>One way to decide what is revealed, and what of it learns.</summary>
/// <param name="Token">whether the token policy learns</param>
/// <param name="Order">whether the order is a policy that learns</param>
internal sealed record OrderArm(string Label, bool Token, bool Order, params string[] Sets)
{
    public List<RunFiles> Runs { get; } = [];

    public double[] Last(string metric) => [.. Runs.Select(run => run.Evaluations()[^1][metric])];
}

/// <summary>
/// The experiment of docs/order.md on a task where the order of revealing decides: every fixed order with its token policy trained, and token policy and
/// unmasking policy each trained or frozen. One base a seed for all arms, the same prompts, steps and denoising steps. Resumable.
/// </summary>
internal static class OrderExperiment
{
    private const string Conf = "tasks/order.conf";

    /// <summary>What all arms share with dcolt.conf, so that only the order differs.</summary>
    private static readonly string[] Method = ["algorithm { likelihood = trajectory, granularity = step, correction = behaviour-clip, clip-epsilon = 0.2, dual-clip = 0, advantage = group-z, lr = 1e-4, unmasking-rate = 30 }"];

    private static List<OrderArm> Arms() =>
    [
        new("random", true, false, "rollout.reveal = random"),
        new("left-to-right", true, false, "rollout.reveal = left-to-right"),
        new("max-prob", true, false, "rollout.reveal = max-prob"),
        new("entropy", true, false, "rollout.reveal = entropy"),
        new("margin", true, false, "rollout.reveal = margin"),
        new("low-confidence", true, false, "rollout.reveal = low-confidence"),
        new("unmasking policy, both trained", true, true, "rollout.reveal = unmasking-policy", "algorithm.train = both"),
        new("unmasking policy alone trained", false, true, "rollout.reveal = unmasking-policy", "algorithm.train = unmasking"),
        new("token policy alone trained", true, false, "rollout.reveal = unmasking-policy", "algorithm.train = token"),
    ];

    public static async Task RunAsync(Options options, Report report)
    {
        using var folder = new TemporaryFolder(options.RunsDir);
        var arms = Arms();
        for (var seed = 1; seed <= options.Seeds; seed++)
        {
            string[] common =
            [
                .. Method, $"run.seed = {seed}", "deterministic = on", "staleness.max-versions = 2", "checkpoint.every = 100", "eval { every = 0, final-prompts = 1024, samples = 16 }",
                .. options.Quick ? ["eval.final-prompts = 64", "warmup.steps = 60"] : Array.Empty<string>(),
            ];
            var steps = $"run.steps = {(options.Quick ? 10 : 80)}";
            var first = await RealRun.TrainBaseAsync(Conf, folder.Path, $"order-base-{seed}", common);
            foreach (var arm in arms)
                arm.Runs.Add(await RealRun.TrainAsync(Conf, folder.Path, $"order-{arm.Label.Replace(", ", "-").Replace(' ', '-')}-{seed}", [.. common, steps, .. arm.Sets, $"model.path = {first.Base}", "warmup.steps = 0"]));
        }

        List<string[]> rows = [["order", "before", .. Enumerable.Range(1, options.Seeds).Select(seed => $"seed {seed}"), "mean", "greedy", "pass@16", "entropy"]];
        foreach (var arm in arms)
        {
            var after = arm.Last("eval/pass_at_1");
            rows.Add(
            [
                arm.Label, Number(arm.Runs.Average(run => run.Evaluations()[0]["eval/pass_at_1"]), "0.000"), .. after.Select(value => Number(value, "0.000")), Number(after.Average(), "0.000"),
                Number(arm.Last("eval/greedy").Average(), "0.000"), Number(arm.Last("eval/pass_at_k").Average(), "0.000"),
                Number(arm.Runs.Average(run => run.Steps()[^1]["entropy/reveal"]), "0.00"),
            ]);
        }

        report.Table(rows);
        var plot = options.Quick ? Path.Combine(Path.GetTempPath(), "order.png") : Path.Combine(Repository.Root, "docs", "order.png");
        OrderPlot.Save(arms, plot);
        report.Line($"plot in {plot}");
    }
}
