using System.Collections.Immutable;
using Lateral.Core.Learning;
using Lateral.Core.Rollouts;
using Lateral.Core.Runs;

namespace Lateral.Actors.Learning;

/// <summary>Where the seconds of each step go, as metrics; monotonic clock only.</summary>
/// <param name="dedicatedDevices">samplers and learner do not take turns on one device</param>
/// <param name="costByRow">a forward's cost is in proportion to the canvases that still run, so a wave's last ones are nearly free</param>
internal sealed class StepTiming(TimeProvider time, bool dedicatedDevices, bool costByRow)
{
    private long _idleSince = time.GetTimestamp();
    private long _stepSince = time.GetTimestamp();
    private double _waited;
    private SamplerStatistics _samplersBefore = SamplerStatistics.Zero;

    /// <summary>The learner is ready for its first step: what came before (warm-up, restoring) is not that step's time.</summary>
    public void Start(SamplerStatistics samplers) => (_stepSince, _samplersBefore) = (time.GetTimestamp(), samplers);

    /// <summary>The learner starts to wait for a batch.</summary>
    public void Idle() => _idleSince = time.GetTimestamp();

    /// <summary>The batch is there.</summary>
    public void Assigned() => _waited = time.GetElapsedTime(_idleSince).TotalSeconds;

    /// <summary>Metrics of the finished step; starts the next one's clock.</summary>
    public ImmutableSortedDictionary<string, double> Finish(LearnerBatch batch, StepReport report, SamplerStatistics samplers)
    {
        var seconds = time.GetElapsedTime(_stepSince).TotalSeconds;
        _stepSince = time.GetTimestamp();
        var spent = samplers - _samplersBefore;
        _samplersBefore = samplers;

        var trajectories = batch.Groups.SelectMany(group => group.Siblings).Select(sibling => sibling.Trajectory).ToArray();
        var tokens = trajectories.Sum(trajectory => trajectory.RevealedCount);
        var straggler = Speedup.StragglerOf(trajectories.Select(trajectory => trajectory.Steps));
        var speedup = new Speedup(
            spent.BusySeconds,
            report.Metrics.GetValueOrDefault("time/train") + report.Metrics.GetValueOrDefault("time/publish"),
            spent.SwapSeconds,
            costByRow ? 1 : straggler);

        var metrics = samplers.CanaryDifference is { } difference ? report.Metrics.SetItem("policy/canary_difference", difference) : report.Metrics;
        return metrics.SetItems(new Dictionary<string, double>(StringComparer.Ordinal)
        {
            ["time/seconds"] = seconds,
            ["time/wait_for_batch"] = _waited,
            ["time/wait_for_policy"] = spent.IdleSeconds,
            ["time/generate"] = spent.BusySeconds,
            ["time/swap"] = spent.SwapSeconds,
            ["rate/tokens_per_second"] = seconds > 0 ? tokens / seconds : 0,
            ["rate/rollouts_per_second"] = seconds > 0 ? trajectories.Length / seconds : 0,
            ["sampler/occupancy"] = spent.SlotSteps > 0 ? (double)spent.RowSteps / spent.SlotSteps : 0,
            ["speedup/straggler"] = straggler,
            ["speedup/predicted"] = speedup.Predicted(dedicatedDevices),
            ["speedup/measured"] = speedup.Measured(seconds),
        });
    }
}
