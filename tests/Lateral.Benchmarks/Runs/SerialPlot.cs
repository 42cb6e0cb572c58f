using ScottPlot;

namespace Lateral.Benchmarks.Runs;

/// <summary>Accuracy over denoising steps, a colour for each number of swaps: dashed before reinforcement learning, solid after it.</summary>
internal static class SerialPlot
{
    private static readonly Color[] Colors = [Color.FromHex("#1f77b4"), Color.FromHex("#2e8b57"), Color.FromHex("#c0392b")];

    public static void Save(IReadOnlyList<SerialArm> arms, string path)
    {
        var plot = new Plot();
        plot.Title("serial: held-out pass@1 over denoising steps, every place in the answer", size: 15);
        plot.Axes.Bottom.Label.Text = "denoising steps";
        foreach (var (index, length) in arms.Where(arm => arm.Worked).GroupBy(arm => arm.Swaps).Index())
        {
            double[] at = [.. length.Select(arm => (double)arm.Steps)];
            var before = plot.Add.Scatter(at, length.Select(arm => arm.Before.Average()).ToArray(), Colors[index]);
            (before.LinePattern, before.LegendText) = (LinePattern.Dashed, $"{length.Key} swaps, before");
            plot.Add.Scatter(at, length.Select(arm => arm.After.Average()).ToArray(), Colors[index]).LegendText = $"{length.Key} swaps, after";
        }

        plot.Axes.SetLimitsY(0, 1.02);
        plot.ShowLegend(Alignment.LowerRight);
        plot.SavePng(path, 900, 520);
    }
}
