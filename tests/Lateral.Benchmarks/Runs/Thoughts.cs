using Lateral.Benchmarks.Engines;
using Lateral.Benchmarks.Measuring;
using Lateral.Diffusion.Models;
using Lateral.Diffusion.Tensors;
using Lateral.Node.Composition;
using Lateral.Node.Runs;
using static Lateral.Benchmarks.Measuring.Report;

namespace Lateral.Benchmarks.Runs;

/// <summary>
/// The experiment of docs/algorithms.md: what worked steps are worth on the task multiply, and what a model makes of a wrong one. Supervised runs of one size, the same number of steps and
/// examples in every arm; runs that are there already are read.
/// </summary>
internal static class Thoughts
{
    private const string Conf = "tasks/multiply.conf";

    private static readonly (string Label, string Name, string[] Sets)[] Arms =
    [
        ("answer only", "answer-only", ["task.thoughts = off", "rollout { gen-length = ${rollout.block-length} }"]),
        ("masked", "masked", ["warmup.objective = masked"]),
        ("dot", "dot", ["warmup.objective = dot"]),
        ("dot-mp, no glance", "dot-mp-plain", ["warmup { objective = dot-mp, glance = 0 }"]),
        ("dot-mp", "dot-mp", ["warmup.objective = dot-mp"]),
    ];

    public static async Task RunAsync(Options options, Report report)
    {
        using var folder = new TemporaryFolder(options.RunsDir);
        List<string[]> rows = [["multiply, mean of seeds", "seeds", "pass@1", "greedy", "vote@8", "from a right thought", "from a wrong one"]];
        foreach (var (label, name, sets) in Arms)
        {
            var evaluations = new List<StepMetrics>();
            var repairs = new List<RepairRate>();
            for (var seed = 1; seed <= options.Seeds; seed++)
            {
                var run = await RealRun.TrainBaseAsync(Conf, folder.Path, $"{name}-{seed}", [$"run.seed = {seed}", "eval { samples = 8, vote = 8 }", .. sets, .. options.Quick ? ["warmup.steps = 20", "eval.final-prompts = 64"] : Array.Empty<string>()]);
                evaluations.Add(run.Evaluations()[^1]);
                if (name != "answer-only") repairs.Add(await RepairAsync(folder.Path, $"{name}-{seed}", run.Base));
                Console.Error.WriteLine($"{label}, seed {seed}: pass@1 {Number(evaluations[^1]["eval/pass_at_1"], ".000")}{(repairs.Count > 0 ? $", from a right thought {Number(repairs[^1].Clean, ".000")}, from a wrong one {Number(repairs[^1].Corrupted, ".000")}" : "")}");
            }

            string Mean(Func<int, double> value) => MeanAndRange([.. Enumerable.Range(0, options.Seeds).Select(value)]);
            rows.Add(
            [
                label, $"{options.Seeds}", Mean(i => evaluations[i]["eval/pass_at_1"]), Mean(i => evaluations[i]["eval/greedy"]), Mean(i => evaluations[i]["eval/vote_at_8"]),
                repairs.Count == 0 ? "" : Mean(i => repairs[i].Clean), repairs.Count == 0 ? "" : Mean(i => repairs[i].Corrupted),
            ]);
        }

        report.Table(rows);
    }

    private static async Task<RepairRate> RepairAsync(string folder, string name, string weights)
    {
        var catalog = new RunCatalog(folder);
        var settings = catalog.Load(catalog.Find(name), []).Settings;
        var task = TaskComposition.Of(settings).Task;
        using var device = new DeviceThread("repair");
        return await device.Run(() =>
        {
            using var model = ModelStore.Load(weights, trainable: false);
            return ThoughtRepair.Measure(model, task, settings.Rollout.Spec.BlockLength, seed: 1);
        });
    }
}
