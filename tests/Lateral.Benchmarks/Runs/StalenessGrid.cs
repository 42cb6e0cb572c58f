using System.Globalization;
using Lateral.Benchmarks.Measuring;
using Lateral.Core.Learning;
using static Lateral.Benchmarks.Measuring.Report;

namespace Lateral.Benchmarks.Runs;

/// <summary>One cell: a correction at a staleness and a learning rate, once per seed.</summary>
/// <param name="Accuracy">sampled pass@1 on held-out prompts after the last step, by seed</param>
internal sealed record GridCell(string Correction, int Staleness, double Rate, double[] Accuracy)
{
    public double Mean => Accuracy.Average();

    public string Text => MeanAndRange(Accuracy);
}

/// <summary>
/// How much staleness each correction bears: on sort6 at a learning rate that is fine as long as rollouts are fresh, staleness 0 to 16 with five corrections; and
/// at staleness 4 every correction with two smaller rates. The same base and prompts for all cells of a seed. Runs that are there already are read, so an
/// interrupted grid goes on.
/// </summary>
internal static class StalenessGrid
{
    private const string Conf = "experiments/why-correction.conf";
    private const double Rate = 3e-4;

    private static readonly int[] Staleness = [1, 2, 4, 8, 16];
    private static readonly string[] Compared = ["none", "behaviour-clip", "dppo-tv", "tis", "decoupled"];
    private static readonly double[] SmallerRates = [1e-4, 2e-4];

    private static IEnumerable<string> Corrections => CorrectionRules.All.Where(rule => !rule.Preference).Select(rule => rule.Name);

    public static async Task RunAsync(Options options, Report report)
    {
        using var folder = new TemporaryFolder(options.RunsDir);
        var cells = new List<GridCell>();
        async Task<GridCell> CellAsync(string correction, int staleness, double rate)
        {
            if (cells.FirstOrDefault(cell => (cell.Correction, cell.Staleness, cell.Rate) == (correction, staleness, rate)) is { } known) return known;
            var accuracy = new double[options.Seeds];
            for (var seed = 1; seed <= options.Seeds; seed++) accuracy[seed - 1] = await AccuracyAsync(folder.Path, correction, staleness, rate, seed, options.Quick);
            cells.Add(new(correction, staleness, rate, accuracy));
            Console.Error.WriteLine($"{correction}, staleness {staleness}, lr {rate.ToString("0e-0", CultureInfo.InvariantCulture)}: {cells[^1].Text}");
            return cells[^1];
        }

        var fresh = await CellAsync("none", 0, Rate);
        List<string[]> rows = [["staleness", .. Compared]];
        foreach (var staleness in options.Quick ? [4] : Staleness)
        {
            var row = new List<string> { $"{staleness}" };
            foreach (var correction in Compared) row.Add((await CellAsync(correction, staleness, Rate)).Text);
            rows.Add([.. row]);
        }

        report.Line($"sort6, learning rate 3e-4, synchronous {fresh.Text}; sampled pass@1, mean (least-greatest) of {options.Seeds} seeds");
        report.Table(rows);
        var plot = options.Quick ? Path.Combine(Path.GetTempPath(), "staleness.png") : Path.Combine(Repository.Root, "docs", "staleness.png");
        StalenessPlot.Save(fresh, [.. cells.Where(cell => cell.Staleness > 0)], plot);
        report.Line($"plot in {plot}");

        rows = [["correction at staleness 4", .. SmallerRates.Append(Rate).Select(rate => Number(rate, "0e-0"))]];
        var synchronous = new List<string> { "synchronous" };
        foreach (var rate in SmallerRates.Append(Rate)) synchronous.Add((await CellAsync("none", 0, rate)).Text);
        rows.Add([.. synchronous]);
        foreach (var correction in options.Quick ? Compared : Corrections)
        {
            var row = new List<string> { correction };
            foreach (var rate in SmallerRates) row.Add((await CellAsync(correction, 4, rate)).Text);
            row.Add(cells.FirstOrDefault(cell => (cell.Correction, cell.Staleness, cell.Rate) == (correction, 4, Rate))?.Text ?? "");
            rows.Add([.. row]);
        }

        report.Table(rows);
    }

    private static async Task<double> AccuracyAsync(string folder, string correction, int staleness, double rate, int seed, bool quick)
    {
        // The first synchronous run warms the base up; all others of its seed start from its weights, which are those they would make themselves.
        var first = Name("none", 0, Rate, seed);
        var name = Name(correction, staleness, rate, seed);
        var start = new RunFiles(Path.Combine(folder, first)).Base;
        string[] sets =
        [
            $"run.seed = {seed}", $"run.steps = {(quick ? 12 : 100)}", "eval { every = 0, final-prompts = 2048, samples = 1 }", "checkpoint.every = 50",
            string.Create(CultureInfo.InvariantCulture, $"algorithm {{ lr = {rate}, correction = {correction} }}"), $"staleness.max-versions = {staleness}",
            .. quick ? ["warmup.steps = 60", "eval.final-prompts = 64"] : Array.Empty<string>(),
            .. name == first ? Array.Empty<string>() : [$"model.path = {start}", "warmup.steps = 0"],
        ];
        return (await RealRun.TrainAsync(Conf, folder, name, sets)).Evaluations()[^1]["eval/pass_at_1"];
    }

    private static string Name(string correction, int staleness, double rate, int seed) =>
        string.Create(CultureInfo.InvariantCulture, $"{correction}-s{staleness}-lr{rate * 1e4:0}e-4-{seed}");
}
