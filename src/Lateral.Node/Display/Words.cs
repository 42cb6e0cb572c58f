using System.Globalization;

namespace Lateral.Node.Display;

/// <summary>Numbers as people read them, the same in every culture.</summary>
internal static class Words
{
    private const string Bars = "▁▂▃▄▅▆▇█";

    public static string Fixed(double value, int decimals = 2) => value.ToString($"F{decimals}", CultureInfo.InvariantCulture);

    public static string Rate(double value) => value.ToString(Math.Abs(value) is > 0 and < 1e-3 ? "0.0e-0" : "0.####", CultureInfo.InvariantCulture);

    public static string Count(double value) => value.ToString("N0", CultureInfo.InvariantCulture);

    /// <summary>Example: <c>1 block</c>, <c>1,200 blocks</c>.</summary>
    public static string Many(double count, string thing) => $"{Count(count)} {thing}{(count == 1 ? "" : "s")}";

    public static string Percent(double value) => value.ToString("P1", CultureInfo.InvariantCulture).Replace(" ", "", StringComparison.Ordinal);

    /// <summary>41s, 3m 20s, 2h 5m, 1d 4h.</summary>
    public static string Duration(TimeSpan time)
    {
        var seconds = (long)Math.Round(time.TotalSeconds);
        return seconds switch
        {
            < 60 => $"{seconds}s",
            < 3600 => $"{seconds / 60}m {seconds % 60}s",
            < 86_400 => $"{seconds / 3600}h {seconds % 3600 / 60}m",
            _ => $"{seconds / 86_400}d {seconds % 86_400 / 3600}h",
        };
    }

    /// <summary>A line of bars over the range of the values; longer series are averaged down to the width.</summary>
    public static string Sparkline(IReadOnlyList<double> values, int width)
    {
        if (values.Count == 0) return "";
        var columns = Math.Min(width, values.Count);
        var means = Enumerable.Range(0, columns)
            .Select(i => Enumerable.Range(i * values.Count / columns, Math.Max(1, (i + 1) * values.Count / columns - i * values.Count / columns)).Average(j => values[j]))
            .ToArray();
        var (low, high) = (means.Min(), means.Max());
        return string.Concat(means.Select(mean => Bars[high > low ? (int)((mean - low) / (high - low) * (Bars.Length - 1)) : 0]));
    }
}
