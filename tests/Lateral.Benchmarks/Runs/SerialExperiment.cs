using Lateral.Benchmarks.Measuring;
using static Lateral.Benchmarks.Measuring.Report;

namespace Lateral.Benchmarks.Runs;

/// <summary>One number of swaps, decoded in one number of steps.</summary>
/// <param name="Worked">whether answers hold every place, or the last one only</param>
internal sealed record SerialArm(int Swaps, bool Worked, int Steps)
{
    public List<RunFiles> Runs { get; } = [];

    public double[] Before => [.. Runs.Select(run => run.Evaluations()[0]["eval/pass_at_1"])];

    public double[] After => [.. Runs.Select(run => run.Evaluations()[^1]["eval/pass_at_1"])];
}

/// <summary>
/// The experiment of docs/open-questions.md on the task serial: is there a length that a model does not follow in few denoising steps, and does reinforcement learning move it? One base for all
/// step counts of a length; before and after reinforcement learning at that very number of steps. Resumable.
/// </summary>
internal static class SerialExperiment
{
    private const string Conf = "tasks/serial.conf";

    private static readonly int[] Lengths = [4, 8, 12];

    public static async Task RunAsync(Options options, Report report)
    {
        using var folder = new TemporaryFolder(options.RunsDir);
        var arms = Lengths.SelectMany(swaps => Arms(swaps)).ToList();
        foreach (var arm in arms)
        {
            for (var seed = 1; seed <= options.Seeds; seed++) arm.Runs.Add(await TrainAsync(folder.Path, arm, seed, options.Quick));
            Console.Error.WriteLine($"{arm.Swaps} swaps, {(arm.Worked ? "worked" : "last place")}, {arm.Steps} steps: {MeanAndRange(arm.Before)} to {MeanAndRange(arm.After)}");
        }

        List<string[]> rows = [["serial, pass@1", .. Lengths.Select(swaps => $"{swaps} swaps before"), .. Lengths.Select(swaps => $"{swaps} swaps after")]];
        foreach (var (label, find) in Rows(arms))
            rows.Add([label, .. Lengths.Select(swaps => find(swaps) is { } arm ? MeanAndRange(arm.Before) : ""), .. Lengths.Select(swaps => find(swaps) is { } arm ? MeanAndRange(arm.After) : "")]);
        report.Table(rows);
        var plot = options.Quick ? Path.Combine(Path.GetTempPath(), "serial.png") : Path.Combine(Repository.Root, "docs", "serial.png");
        SerialPlot.Save(arms, plot);
        report.Line($"mean (least-greatest) of {options.Seeds} seeds; a guess is right in one case of five; plot in {plot}");
    }

    private static IEnumerable<SerialArm> Arms(int swaps) =>
        [new(swaps, false, 1), .. new[] { 1, swaps / 4, swaps / 2, swaps }.Distinct().Select(steps => new SerialArm(swaps, true, steps))];

    /// <summary>One row for each number of tokens that a step reveals.</summary>
    private static IEnumerable<(string Label, Func<int, SerialArm?> Find)> Rows(List<SerialArm> arms)
    {
        yield return ("last place only", swaps => arms.Find(arm => arm.Swaps == swaps && !arm.Worked));
        yield return ("every place, all in one step", swaps => arms.Find(arm => arm.Swaps == swaps && arm.Worked && arm.Steps == 1));
        foreach (var tokens in new[] { 4, 2, 1 })
            yield return ($"every place, {tokens} a step", swaps => arms.Find(arm => arm.Swaps == swaps && arm.Worked && arm.Steps > 1 && arm.Swaps / arm.Steps == tokens));
    }

    private static async Task<RunFiles> TrainAsync(string folder, SerialArm arm, int seed, bool quick)
    {
        var length = arm.Worked ? arm.Swaps : 1;
        string[] common =
        [
            $"task {{ swaps = {arm.Swaps}, worked = {(arm.Worked ? "on" : "off")} }}", $"rollout {{ gen-length = {length}, steps = {length} }}", $"run.seed = {seed}", "deterministic = on", "checkpoint.every = 100",
            "eval { every = 0, final-prompts = 1024, samples = 4 }", "algorithm { advantage = group-z, lr = 2e-4 }", "staleness.max-versions = 2",
            .. quick ? ["warmup.steps = 20", "eval.final-prompts = 64"] : Array.Empty<string>(),
        ];
        var name = $"serial-{arm.Swaps}-{(arm.Worked ? "worked" : "last")}";
        var start = await RealRun.TrainBaseAsync(Conf, folder, $"{name}-base-{seed}", common);
        return await RealRun.TrainAsync(Conf, folder, $"{name}-{arm.Steps}-{seed}", [.. common, $"rollout.steps = {arm.Steps}", $"run.steps = {(quick ? 5 : 80)}", $"model.path = {start.Base}", "warmup.steps = 0"]);
    }
}
