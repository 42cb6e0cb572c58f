using ScottPlot;

namespace Lateral.Benchmarks.Runs;

/// <summary>Reward, evaluation and the gauge over steps: a thick line per arm for the mean over seeds, thin ones for the seeds.</summary>
internal static class CorrectionPlot
{
    private static readonly Color[] Colors = [Color.FromHex("#4d4d4d"), Color.FromHex("#c0392b"), Color.FromHex("#1f77b4")];

    public static void Save(IReadOnlyList<CorrectionArm> arms, string path)
    {
        var multiplot = new Multiplot();
        multiplot.AddPlots(3);
        Draw(multiplot.GetPlot(0), arms, "reward of the trained batch (mean of 5 steps)", run => Smooth(Series(run.Steps(), "reward/mean")), legend: false);
        Draw(multiplot.GetPlot(1), arms, "pass@1 on held-out prompts", run => Series(run.Evaluations(), "eval/pass_at_1"), legend: false);
        Draw(multiplot.GetPlot(2), arms, "KL(behaviour || current), nats per token", run => Smooth(Series(run.Steps(), "kl/behaviour")), legend: true);
        multiplot.GetPlot(2).Axes.Bottom.Label.Text = "learner step";
        multiplot.SavePng(path, 900, 1100);
    }

    private static void Draw(Plot plot, IReadOnlyList<CorrectionArm> arms, string title, Func<RunFiles, (double[] Steps, double[] Values)> series, bool legend)
    {
        plot.Title(title, size: 15);
        foreach (var (index, arm) in arms.Index())
        {
            var lines = arm.Runs.Select(series).ToArray();
            foreach (var (steps, values) in lines) Line(plot, steps, values, Colors[index].WithAlpha(.35), 1);
            var mean = lines[0].Steps.Select((_, i) => lines.Average(line => line.Values[i])).ToArray();
            Line(plot, lines[0].Steps, mean, Colors[index], 3).LegendText = arm.Label;
        }

        if (legend) plot.ShowLegend(Alignment.UpperLeft);
        plot.Axes.Margins(horizontal: .01);
    }

    private static ScottPlot.Plottables.Scatter Line(Plot plot, double[] steps, double[] values, Color color, float width)
    {
        var line = plot.Add.ScatterLine(steps, values, color);
        line.LineWidth = width;
        return line;
    }

    private static (double[] Steps, double[] Values) Series(List<StepMetrics> lines, string metric) =>
        ([.. lines.Select(line => (double)line.Step)], [.. lines.Select(line => line[metric])]);

    /// <summary>Mean of each step and the four before it.</summary>
    private static (double[] Steps, double[] Values) Smooth((double[] Steps, double[] Values) series) =>
        (series.Steps, [.. series.Values.Select((_, i) => series.Values[Math.Max(0, i - 4)..(i + 1)].Average())]);
}
