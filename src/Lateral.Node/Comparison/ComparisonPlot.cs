using System.Collections.Immutable;
using System.Globalization;
using System.Net;
using System.Text;

namespace Lateral.Node.Comparison;

/// <summary>Reward over rollouts and over seconds as one SVG: a line per algorithm for the mean over its seeds, a band from the least to the greatest.</summary>
internal static class ComparisonPlot
{
    private const int Width = 960, PanelHeight = 320, Left = 60, Right = 220, Top = 36, Bottom = 44, Points = 120;

    private static readonly string[] Colors =
        ["#1f77b4", "#c0392b", "#2e8b57", "#8e44ad", "#e67e22", "#16a085", "#7f8c8d", "#d81b60", "#5d4037", "#3949ab", "#9e9d24", "#00838f"];

    public static string Svg(ImmutableArray<ComparedAlgorithm> algorithms, ImmutableArray<ComparedRun> runs)
    {
        var svg = new StringBuilder();
        svg.AppendLine(CultureInfo.InvariantCulture, $"<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {Width} {2 * PanelHeight}\" font-family=\"sans-serif\" font-size=\"12\">");
        svg.AppendLine(CultureInfo.InvariantCulture, $"<rect width=\"{Width}\" height=\"{2 * PanelHeight}\" fill=\"white\"/>");
        Panel(svg, 0, "rollouts", algorithms, runs, step => step.Rollouts);
        Panel(svg, PanelHeight, "seconds", algorithms, runs, step => step.Seconds);
        Legend(svg, algorithms);
        svg.AppendLine("</svg>");
        return svg.ToString();
    }

    private static void Panel(StringBuilder svg, int top, string unit, ImmutableArray<ComparedAlgorithm> algorithms, ImmutableArray<ComparedRun> runs, Func<ComparedStep, double> along)
    {
        ImmutableArray<ComparedRun> drawn = [.. runs.Where(run => run.Failure is null)];
        var furthest = drawn.SelectMany(run => run.Steps).Select(along).DefaultIfEmpty(1).Max();
        var highest = Math.Max(1e-9, drawn.SelectMany(run => Smooth(run.Steps)).Select(step => step.Reward).DefaultIfEmpty(1).Max());
        var (width, height) = (Width - Left - Right, PanelHeight - Top - Bottom);
        string X(double value) => (Left + (value / furthest * width)).ToString("0.#", CultureInfo.InvariantCulture);
        string Y(double value) => (top + Top + ((1 - (value / highest)) * height)).ToString("0.#", CultureInfo.InvariantCulture);
        Axes(svg, top, unit, furthest, highest, X, Y);
        foreach (var (index, algorithm) in algorithms.Index())
        {
            var (color, dash) = StyleOf(index);
            ImmutableArray<ImmutableArray<ComparedStep>> seeds = [.. drawn.Where(run => run.Algorithm == algorithm.Name).Select(run => Smooth(run.Steps))];
            if (seeds.IsEmpty) continue;
            // As far as every seed has come.
            var end = seeds.Min(steps => along(steps[^1]));
            var grid = Enumerable.Range(0, Points).Select(i => end * (i + 1) / Points).ToArray();
            var values = grid.Select(at => seeds.Select(steps => ValueAt(steps, along, at)).ToArray()).ToArray();
            string Line(Func<double[], double> of) => string.Join(' ', grid.Select((at, i) => $"{X(at)},{Y(of(values[i]))}"));
            if (seeds.Length > 1) svg.AppendLine($"<polygon points=\"{Line(one => one.Max())} {string.Join(' ', Line(one => one.Min()).Split(' ').Reverse())}\" fill=\"{color}\" opacity=\"0.15\"/>");
            svg.AppendLine($"<polyline points=\"{Line(one => one.Average())}\" fill=\"none\" stroke=\"{color}\" stroke-width=\"2\"{dash}/>");
        }
    }

    /// <summary>Dashed once the colours have come round.</summary>
    private static (string Color, string Dash) StyleOf(int index) => (Colors[index % Colors.Length], index < Colors.Length ? "" : " stroke-dasharray=\"6 3\"");

    private static void Legend(StringBuilder svg, ImmutableArray<ComparedAlgorithm> algorithms)
    {
        var x = Width - Right + 16;
        foreach (var (index, algorithm) in algorithms.Index())
        {
            var ((color, dash), y) = (StyleOf(index), Top + 12 + (18 * index));
            svg.AppendLine(CultureInfo.InvariantCulture, $"<line x1=\"{x}\" x2=\"{x + 24}\" y1=\"{y - 4}\" y2=\"{y - 4}\" stroke=\"{color}\" stroke-width=\"2\"{dash}/>");
            svg.AppendLine(CultureInfo.InvariantCulture, $"<text x=\"{x + 32}\" y=\"{y}\">{WebUtility.HtmlEncode(algorithm.Name)}</text>");
        }
    }

    private static void Axes(StringBuilder svg, int top, string unit, double furthest, double highest, Func<double, string> x, Func<double, string> y)
    {
        svg.AppendLine(CultureInfo.InvariantCulture, $"<text x=\"{Left}\" y=\"{top + 20}\" font-size=\"14\">reward of the trained batch (mean of 5 steps) over {unit}</text>");
        for (var tick = 0; tick <= 4; tick++)
        {
            var (value, at) = (highest * tick / 4, furthest * tick / 4);
            svg.AppendLine($"<line x1=\"{Left}\" x2=\"{Width - Right}\" y1=\"{y(value)}\" y2=\"{y(value)}\" stroke=\"#ddd\"/>");
            svg.AppendLine(CultureInfo.InvariantCulture, $"<text x=\"{Left - 8}\" y=\"{y(value)}\" text-anchor=\"end\">{value:0.00}</text>");
            svg.AppendLine(CultureInfo.InvariantCulture, $"<text x=\"{x(at)}\" y=\"{top + PanelHeight - Bottom + 18}\" text-anchor=\"middle\">{at:#,0}</text>");
        }
    }

    private static ImmutableArray<ComparedStep> Smooth(ImmutableArray<ComparedStep> steps) =>
        [.. steps.Select((step, i) => step with { Reward = steps.Skip(Math.Max(0, i - 4)).Take(Math.Min(5, i + 1)).Average(one => one.Reward) })];

    private static double ValueAt(ImmutableArray<ComparedStep> steps, Func<ComparedStep, double> along, double at) =>
        steps.LastOrDefault(step => along(step) <= at, steps[0]).Reward;
}
