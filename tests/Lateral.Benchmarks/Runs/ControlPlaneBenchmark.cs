using System.Diagnostics;
using System.Globalization;
using Akka.Actor;
using Lateral.Actors;
using Lateral.Actors.Settings;
using Lateral.Benchmarks.Measuring;
using Lateral.Core.Runs;
using static Lateral.Benchmarks.Measuring.Report;

namespace Lateral.Benchmarks.Runs;

/// <summary>
/// What one coordinator carries: this process is the coordinator, with ledger, groups, dispatcher and journal; another one is a
/// thousand samplers, the rewards and the learner, over engines that compute next to nothing.
/// </summary>
internal static class ControlPlaneBenchmark
{
    /// <summary>First argument of the other process, which is this program again.</summary>
    public const string Rest = "control-plane-rest";

    private const int Groups = 400, Siblings = 4, Staleness = 2;

    private static readonly TimeSpan Deadline = TimeSpan.FromMinutes(10);

    public static async Task RunAsync(Options options, Report report)
    {
        using var folder = new TemporaryFolder();
        List<string[]> rows = [["samplers", "groups a second", "rollouts a second", "coordinator, cpu ms a group", "coordinator, cores"]];
        foreach (var samplers in options.Quick ? new[] { 100 } : [10, 100, 1000])
        {
            var steps = options.Quick ? 6 : 20;
            var (groups, cost) = await MeasureAsync(Path.Combine(folder.Path, $"{samplers}"), samplers, steps);
            rows.Add(
            [
                samplers.ToString(CultureInfo.InvariantCulture), Number(groups / cost.Wall, "0"), Number(groups * Siblings / cost.Wall, "0"),
                Number(1e3 * cost.Cpu / groups, "0.00"), Number(cost.Cpu / cost.Wall, "0.00"),
            ]);
        }

        report.Table(rows);
        report.Line($"groups of {Siblings} rollouts of 256 tokens, {Groups} groups a step, SQLite journal; the samplers' process takes what the coordinator leaves of {Environment.ProcessorCount} cores");
    }

    /// <summary>The process of the samplers, until the run is done.</summary>
    public static async Task RestAsync(string coordinator, string directory, int samplers, int steps)
    {
        var settings = Settings(directory, samplers, steps);
        var engines = new FreeEngines(settings.Rollout.Spec);
        var node = new RunNode(NodeRoles.All & ~NodeRoles.Coordinator, [coordinator]) { Name = "rest" };
        await using var host = await RunHost.StartAsync(settings, engines.ToRunEngines(), node: node);
        await host.Completion.WaitAsync(Deadline);
    }

    private static async Task<(long Groups, Cost Cost)> MeasureAsync(string directory, int samplers, int steps)
    {
        var settings = Settings(Path.Combine(directory, "coordinator"), samplers, steps);
        var engines = new FreeEngines(settings.Rollout.Spec);
        await using var host = await RunHost.StartAsync(settings, engines.ToRunEngines(), node: new RunNode(NodeRoles.Coordinator, []));
        using var rest = StartRest(host.Address, Path.Combine(directory, "rest"), samplers, steps);
        // The first steps hold the start of the samplers.
        var (from, begun) = (await ReachAsync(host, steps / 4), Cost.Now);
        var (until, ended) = (await ReachAsync(host, steps), Cost.Now);
        await rest.WaitForExitAsync().WaitAsync(Deadline);
        if (rest.ExitCode != 0) throw new RunFailedException($"the process of the samplers ended with {rest.ExitCode}");
        return (until - from, ended - begun);
    }

    private static async Task<long> ReachAsync(RunHost host, int step)
    {
        using var deadline = new CancellationTokenSource(Deadline);
        while (true)
        {
            try
            {
                var ledger = (await host.StatusAsync()).Ledger;
                if (ledger.Version >= step) return ledger.Trained;
            }
            catch (AskTimeoutException)
            {
                // The coordinator is busy: that is what is measured.
            }

            await Task.Delay(20, deadline.Token);
        }
    }

    private static Process StartRest(string coordinator, string directory, int samplers, int steps)
    {
        var start = new ProcessStartInfo(
            Environment.ProcessPath!,
            [.. Path.GetFileNameWithoutExtension(Environment.ProcessPath) == "dotnet" ? [typeof(ControlPlaneBenchmark).Assembly.Location] : Array.Empty<string>(), Rest, coordinator, directory, $"{samplers}", $"{steps}"])
        { UseShellExecute = false };
        return Process.Start(start)!;
    }

    private static RunSettings Settings(string directory, int samplers, int steps)
    {
        Directory.CreateDirectory(Path.Combine(directory, "logs"));
        var settings = RunSettingsLoader.Load([Path.Combine(Repository.Root, "hocon", "quickstart.conf")], [$"run.steps = {steps}", "eval.every = 0", $"staleness.max-versions = {Staleness}"]).Settings;
        var spec = settings.Rollout.Spec with { GenLength = 256, BlockLength = 256, Steps = 64 };
        return settings with
        {
            Directory = directory,
            Rollout = settings.Rollout with { Spec = spec, GroupsPerStep = Groups, GroupSize = Siblings },
            // The coordinator is up before the other process knows its address.
            Topology = settings.Topology with { Roles = settings.Topology.Roles.Clear(), SamplerDevices = [.. Enumerable.Range(0, samplers).Select(i => $"simulated:{i}")], Slots = Siblings },
        };
    }
}
