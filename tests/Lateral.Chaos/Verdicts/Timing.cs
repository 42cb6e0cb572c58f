using System.Globalization;
using Lateral.Chaos.Deployment;
using Lateral.Chaos.Faults;
using Lateral.Chaos.Watching;

namespace Lateral.Chaos.Verdicts;

/// <summary>How long it took, against the targets of the design.</summary>
internal static class Timing
{
    private const double LeastGoodput = .6;

    /// <summary>Slopes that a minute of a busy process may have by chance.</summary>
    private const double MostMegaBytes = 20, MostDescriptors = 5, MostThreads = 5;

    private static readonly (string Role, double? Seconds)[] Targets = [("sampler", 10), (Cluster.Learner, 25), (Cluster.RoleOf(Cluster.Rank), null), (Cluster.Coordinator, null), (Cluster.Reward, null), (Resumption.Database, 5)];

    public static IEnumerable<Check> Of(IReadOnlyList<Injected> faults, double faultFree, double underFaults, IEnumerable<Growth> growths)
    {
        foreach (var (role, seconds) in Targets)
        {
            var times = faults.Where(fault => fault.Skipped is null && Cluster.RoleOf(fault.Fault.Part) == role).Select(fault => fault.Recovery ?? double.PositiveInfinity).Order().ToList();
            if (times.Count == 0) continue;
            var slowest = At(times, .95);
            yield return new Check($"recovery, {role}", Text($"{Seconds(At(times, .5))} p50, {Seconds(slowest)} p95 of {times.Count}"), seconds is { } most ? Text($"p95 <= {most} s") : "", seconds is null || slowest <= seconds, Proof: false);
        }

        var goodput = underFaults / faultFree;
        yield return new Check("goodput", Text($"{100 * goodput:0} % ({underFaults:0.00} of {faultFree:0.00} steps/s)"), Text($">= {100 * LeastGoodput:0} %"), goodput >= LeastGoodput, Proof: false);
        foreach (var growth in growths)
        {
            if (growth is not { MegaBytes: { } memory, Descriptors: { } descriptors, Threads: { } threads }) continue;
            yield return new Check(
                $"growth a minute, {growth.Node}", Text($"{memory:+0.0;-0.0;0.0} MB, {descriptors:+0.0;-0.0;0.0} descriptors, {threads:+0.0;-0.0;0.0} threads ({growth.Lives} lives)"),
                Text($"<= {MostMegaBytes} MB, {MostDescriptors}, {MostThreads}"), memory <= MostMegaBytes && descriptors <= MostDescriptors && threads <= MostThreads, Proof: false);
        }
    }

    /// <summary>The value that the share of times does not exceed.</summary>
    private static double At(List<double> sorted, double share) => sorted[Math.Max(0, (int)Math.Ceiling(share * sorted.Count) - 1)];

    private static string Seconds(double value) => double.IsFinite(value) ? Text($"{value:0.0} s") : "never";

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
