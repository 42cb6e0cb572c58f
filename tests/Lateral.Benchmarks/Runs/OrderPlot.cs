using ScottPlot;

namespace Lateral.Benchmarks.Runs;

/// <summary>Reward over learner steps, mean over the seeds and of ten steps: fixed orders thin, learned ones thick.</summary>
internal static class OrderPlot
{
    public static void Save(IReadOnlyList<OrderArm> arms, string path)
    {
        var plot = new Plot();
        plot.Title("reward of the trained batch (mean of 10 steps and of the seeds)", size: 15);
        foreach (var arm in arms)
        {
            var runs = arm.Runs.Select(run => run.Steps()).ToArray();
            var means = Enumerable.Range(0, runs[0].Count).Select(i => runs.Average(steps => steps[i]["reward/mean"])).ToArray();
            double[] smooth = [.. means.Select((_, i) => means[Math.Max(0, i - 9)..(i + 1)].Average())];
            var line = plot.Add.ScatterLine([.. runs[0].Select(step => (double)step.Step)], smooth);
            (line.LineWidth, line.LegendText) = (arm.Order ? 3 : 1, arm.Label);
        }

        plot.ShowLegend(Alignment.UpperLeft);
        plot.Axes.Margins(horizontal: .01);
        plot.Axes.Bottom.Label.Text = "learner step";
        plot.SavePng(path, 900, 600);
    }
}
