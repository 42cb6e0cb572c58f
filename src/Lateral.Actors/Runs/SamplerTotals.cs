using Lateral.Core.Rollouts;

namespace Lateral.Actors.Runs;

/// <summary>What all samplers have done since the run's process began, restarts of their engines included.</summary>
internal sealed class SamplerTotals
{
    private readonly Dictionary<string, SamplerStatistics> _latest = new(StringComparer.Ordinal);

    public SamplerStatistics Sum { get; private set; } = SamplerStatistics.Zero;

    public void Note(RunProtocol.SamplerReport report)
    {
        var last = _latest.GetValueOrDefault(report.Sampler, SamplerStatistics.Zero);
        // A restarted engine counts from zero again.
        Sum += report.Statistics.Forwards < last.Forwards ? report.Statistics : report.Statistics - last;
        _latest[report.Sampler] = report.Statistics;
        Sum = Sum with { CanaryDifference = _latest.Values.Max(statistics => statistics.CanaryDifference) };
    }
}
