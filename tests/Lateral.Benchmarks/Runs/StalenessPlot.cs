using ScottPlot;

namespace Lateral.Benchmarks.Runs;

/// <summary>Accuracy over staleness: a line per correction for the mean over seeds, a bar from the least to the greatest, and the synchronous run as a line across.</summary>
internal static class StalenessPlot
{
    private static readonly Color[] Colors = [Color.FromHex("#7f7f7f"), Color.FromHex("#1f77b4"), Color.FromHex("#2e8b57"), Color.FromHex("#c0392b"), Color.FromHex("#8e44ad")];

    public static void Save(GridCell synchronous, IReadOnlyList<GridCell> cells, string path)
    {
        var plot = new Plot();
        plot.Title("sampled pass@1 on held-out prompts after 100 steps, sort6, learning rate 3e-4", size: 15);
        plot.Axes.Bottom.Label.Text = "staleness in policy versions (log2 axis)";
        var across = plot.Add.HorizontalLine(synchronous.Mean, color: Colors[0], pattern: LinePattern.Dashed);
        across.LegendText = "synchronous";
        foreach (var (index, correction) in cells.GroupBy(cell => cell.Correction).Index())
        {
            GridCell[] points = [.. correction.OrderBy(cell => cell.Staleness)];
            double[] at = [.. points.Select(cell => Math.Log2(cell.Staleness) + (.03 * index))];
            var line = plot.Add.Scatter(at, points.Select(cell => cell.Mean).ToArray(), Colors[index % Colors.Length]);
            (line.LineWidth, line.LegendText) = (2, correction.Key);
            foreach (var (place, cell) in at.Zip(points)) plot.Add.Line(place, cell.Accuracy.Min(), place, cell.Accuracy.Max()).Color = Colors[index % Colors.Length];
        }

        plot.Axes.Bottom.SetTicks([.. cells.Select(cell => Math.Log2(cell.Staleness)).Distinct()], [.. cells.Select(cell => $"{cell.Staleness}").Distinct()]);
        plot.Axes.SetLimitsY(0, 1);
        plot.ShowLegend(Alignment.LowerLeft);
        plot.SavePng(path, 900, 520);
    }
}
