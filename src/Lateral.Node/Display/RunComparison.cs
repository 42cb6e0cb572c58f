using System.Collections.Immutable;
using System.Text.Json;
using Lateral.Node.Runs;

namespace Lateral.Node.Display;

/// <summary>One setting on which the runs disagree, with each run's value; null where a run has no such key.</summary>
public sealed record SettingRow(string Key, ImmutableArray<string?> Values);

/// <summary>Which end of a metric is the good one.</summary>
internal enum Better
{
    /// <summary>Neither: both ends are told.</summary>
    Unknown = 0,
    High = 1,
    Low = 2,
}

/// <summary>Runs side by side: what was set differently, and what came of it. Pure.</summary>
/// <param name="Metrics">by metric, one series a run, in the order of the runs</param>
internal sealed record RunComparison(ImmutableArray<string> Runs, ImmutableArray<SettingRow> Settings, ImmutableArray<ImmutableArray<MetricSeries>> Metrics)
{
    /// <summary>Compared unless others are asked for.</summary>
    public static IReadOnlyList<string> Usual { get; } =
        ["reward/mean", "eval/pass_at_1", "kl/behaviour", "ratio/ess", "staleness/mean", "rate/tokens_per_second", "time/seconds"];

    private const int CurveWidth = 32;

    private static readonly Dictionary<string, Better> Good = new(StringComparer.Ordinal)
    {
        ["reward/mean"] = Better.High,
        ["eval/pass_at_1"] = Better.High,
        ["eval/greedy"] = Better.High,
        ["eval/pass_at_k"] = Better.High,
        ["eval/distinct_correct"] = Better.High,
        ["ratio/ess"] = Better.High,
        ["rate/tokens_per_second"] = Better.High,
        ["rate/rollouts_per_second"] = Better.High,
        ["speedup/measured"] = Better.High,
        ["kl/behaviour"] = Better.Low,
        ["staleness/mean"] = Better.Low,
        ["time/seconds"] = Better.Low,
    };

    public IEnumerable<string> Lines()
    {
        if (Settings.IsEmpty) yield return "the runs were configured alike";
        else foreach (var line in Table([["settings that differ", .. Runs], .. Settings.Select(row => (string[])[row.Key, .. row.Values.Select(value => value ?? "-")])])) yield return line;
        foreach (var series in Metrics.Where(metric => metric.Any(run => !run.Points.IsEmpty)))
        {
            yield return "";
            foreach (var line in Curves(series)) yield return line;
        }
    }

    public string ToJson() => JsonSerializer.Serialize(
        new
        {
            Runs,
            Settings = Settings.Select(row => new { row.Key, Values = Runs.Zip(row.Values).ToDictionary(pair => pair.Item1, pair => pair.Item2) }),
            Metrics = Metrics.Select(metric => new
            {
                metric[0].Metric,
                Runs = metric.Select(series => new
                {
                    series.Run,
                    Final = series.Points.IsEmpty ? (double?)null : series.Points[^1].Value,
                    Best = Best(series)?.Value,
                    BestStep = Best(series)?.Step,
                    Steps = series.Points.Select(point => point.Step),
                    Values = series.Points.Select(point => point.Value),
                }),
            }),
        },
        JsonSerializerOptions.Web);

    /// <summary>The best point, the earliest of equals; null where nothing is better than anything else.</summary>
    internal static (int Step, double Value)? Best(MetricSeries series) => (series.Points.IsEmpty, Good.GetValueOrDefault(series.Metric)) switch
    {
        (false, Better.High) => series.Points.MaxBy(point => point.Value),
        (false, Better.Low) => series.Points.MinBy(point => point.Value),
        _ => null,
    };

    /// <summary>All runs of a metric on one scale of steps and values, so that the curves can be compared by eye.</summary>
    private static IEnumerable<string> Curves(ImmutableArray<MetricSeries> metric)
    {
        var points = metric.SelectMany(series => series.Points).ToList();
        var axes = new CurveAxes(points.Min(point => point.Step), points.Max(point => point.Step), points.Min(point => point.Value), points.Max(point => point.Value));
        return Table(
        [
            [metric[0].Metric, "first", "final", Best(metric.First(series => !series.Points.IsEmpty)) is null ? "range" : "best", $"steps {axes.FirstStep} to {axes.LastStep}, {Number(axes.Low)} to {Number(axes.High)}"],
            .. metric.Select(series => series.Points.IsEmpty
                ? (string[])[$"  {series.Run}", "-", "-", "-", ""]
                : [$"  {series.Run}", Number(series.Points[0].Value), Number(series.Points[^1].Value), Extreme(series), axes.Draw(series.Points, CurveWidth)]),
        ]);
    }

    private static string Extreme(MetricSeries series) => Best(series) is { } best
        ? $"{Number(best.Value)} @{best.Step}"
        : $"{Number(series.Points.Min(point => point.Value))} .. {Number(series.Points.Max(point => point.Value))}";

    private static string Number(double value) => Math.Abs(value) >= 1000 ? Words.Count(value) : Words.Rate(value);

    private static IEnumerable<string> Table(IReadOnlyList<string[]> rows)
    {
        var widths = Enumerable.Range(0, rows[0].Length).Select(column => rows.Max(row => row[column].Length)).ToArray();
        return rows.Select(row => string.Join("  ", row.Select((cell, column) => cell.PadRight(widths[column]))).TrimEnd());
    }
}

/// <summary>What a curve is drawn on.</summary>
internal readonly record struct CurveAxes(int FirstStep, int LastStep, double Low, double High)
{
    private const string Bars = "▁▂▃▄▅▆▇█";

    /// <summary>A line of bars; a column is the mean of its steps, and blank where the series has none.</summary>
    public string Draw(IEnumerable<(int Step, double Value)> points, int width)
    {
        var (axes, columns) = (this, Math.Min(width, LastStep - FirstStep + 1));
        var means = points.GroupBy(point => (int)((long)(point.Step - axes.FirstStep) * columns / (axes.LastStep - axes.FirstStep + 1)))
            .ToDictionary(column => column.Key, column => column.Average(point => point.Value));
        return string.Concat(Enumerable.Range(0, columns).Select(column => means.TryGetValue(column, out var mean) ? axes.Bar(mean) : ' '));
    }

    private char Bar(double value) => Bars[High > Low ? Math.Clamp((int)((value - Low) / (High - Low) * Bars.Length), 0, Bars.Length - 1) : 0];
}
