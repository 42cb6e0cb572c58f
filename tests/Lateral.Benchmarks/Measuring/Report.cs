using System.Globalization;
using System.Runtime.InteropServices;

namespace Lateral.Benchmarks.Measuring;

/// <summary>Prints results as plain text, each beside the load of the machine at that time.</summary>
internal sealed class Report(TextWriter output)
{
    private const string LoadFile = "/proc/loadavg";

    public void Machine() => output.WriteLine(
        $"{Environment.ProcessorCount} cores, {RuntimeInformation.OSDescription}, {RuntimeInformation.FrameworkDescription}, libtorch on one thread\n"
        + "ratios: median (quartiles, repetitions) of interleaved pairs; cpu counts every thread of this process, wall also waits for the machine's others");

    public void Title(string name, string what) => output.WriteLine($"\n{name}: {what}   [load average {Load()}]");

    public void Line(FormattableString text) => output.WriteLine("  " + text.ToString(CultureInfo.InvariantCulture));

    /// <summary>Rows of cells under a header, columns padded to their widest cell.</summary>
    public void Table(IReadOnlyList<IReadOnlyList<string>> rows)
    {
        var widths = Enumerable.Range(0, rows[0].Count).Select(column => rows.Max(row => row[column].Length)).ToArray();
        foreach (var row in rows)
            output.WriteLine("  " + string.Join("  ", row.Select((cell, column) => column == 0 ? cell.PadRight(widths[column]) : cell.PadLeft(widths[column]))));
    }

    public static string Number(double value, string format) => value.ToString(format, CultureInfo.InvariantCulture);

    /// <summary>Example: <c>.889 (.860-.917)</c>, the mean, the least and the greatest.</summary>
    public static string MeanAndRange(IReadOnlyCollection<double> values) => string.Create(CultureInfo.InvariantCulture, $"{values.Average():.000} ({values.Min():.000}-{values.Max():.000})");

    /// <summary>Processes that wanted a core on average over 1, 5 and 15 minutes; empty where the system does not say.</summary>
    private static string Load() => File.Exists(LoadFile) ? string.Join(' ', File.ReadAllText(LoadFile).Split(' ')[..3]) : "unknown";
}
