using System.Collections.Immutable;
using System.Text.Json;

namespace Lateral.Node.Runs;

/// <summary>One metric of one run over its steps, ascending; steps without a number are absent.</summary>
public sealed record MetricSeries(string Run, string Metric, ImmutableArray<(int Step, double Value)> Points)
{
    /// <summary>Evaluations have a file of their own, which also has step 0.</summary>
    internal static MetricSeries Read(RunDirectory run, string metric) => new(
        run.Name,
        metric,
        [
            .. JsonLinesFile.Read(FileOf(run, metric))
                .Where(line => line.TryGetProperty(metric, out var value) && value.ValueKind == JsonValueKind.Number)
                .Select(line => (line.GetProperty("step").GetInt32(), line.GetProperty(metric).GetDouble())),
        ]);

    /// <summary>The names of all that the run has recorded.</summary>
    internal static IEnumerable<string> Names(RunDirectory run) =>
        new[] { run.Metrics, run.Evaluations }.SelectMany(JsonLinesFile.Read)
            .SelectMany(line => line.EnumerateObject().Where(property => property.Value.ValueKind == JsonValueKind.Number).Select(property => property.Name))
            .Where(name => name.Contains('/', StringComparison.Ordinal)).Distinct(StringComparer.Ordinal);

    private static string FileOf(RunDirectory run, string metric) => metric.StartsWith("eval/", StringComparison.Ordinal) ? run.Evaluations : run.Metrics;
}
