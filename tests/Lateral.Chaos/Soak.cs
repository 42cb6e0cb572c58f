using System.Diagnostics;
using System.Globalization;
using Lateral.Actors;
using Lateral.Chaos.Deployment;
using Lateral.Chaos.Faults;
using Lateral.Chaos.Verdicts;
using Lateral.Chaos.Watching;
using Lateral.Node.Runs;

namespace Lateral.Chaos;

/// <summary>
/// A run on a cluster of processes to which everything happens, in order: it starts, works undisturbed, is broken again and again,
/// heals, is stopped and saved; then the journal, the files and an undisturbed run of the same configuration say whether
/// anything was lost.
/// </summary>
internal sealed class Soak(Options options, TextWriter output)
{
    private static readonly TimeSpan Starting = TimeSpan.FromMinutes(6), Reference = TimeSpan.FromMinutes(20), Healing = TimeSpan.FromSeconds(90);

    private readonly Stopwatch _watch = Stopwatch.StartNew();

    public async Task<int> RunAsync(CancellationToken cancellation)
    {
        var files = new Files(Directory.CreateTempSubdirectory("lateral-chaos-").FullName);
        var ok = false;
        try
        {
            var checks = new List<Check>();
            IReadOnlyList<Injected> faults;
            await using (var cluster = await Cluster.CreateAsync(files, options.Seed, Clock, Say))
            {
                faults = await BreakAsync(cluster, files, checks, cancellation);
                await JudgeAsync(cluster, files, checks, cancellation);
            }

            checks.Add(Leftovers.Orphans());
            Report.Write(output, options, faults, checks);
            ok = checks.TrueForAll(check => check.Ok || !check.Proof);
            return ok ? 0 : 1;
        }
        finally
        {
            if (ok && !options.Keep) Directory.Delete(files.Root, recursive: true);
            else Say($"everything is in {files.Root}");
        }
    }

    private async Task<IReadOnlyList<Injected>> BreakAsync(Cluster cluster, Files files, List<Check> checks, CancellationToken cancellation)
    {
        var length = TimeSpan.FromMinutes(options.Minutes);
        var plan = FaultPlan.Of(options.Seed, 20 + (int)(options.Minutes * 10));
        Say($"seed {options.Seed}: {string.Join(", ", plan.Take(20))}, ...");
        cluster.Start();
        var broken = Task.WhenAny(cluster.Nodes.Values.Select(node => node.Kept)).Unwrap();
        await using var journal = new JournalWatch(JournalConnection(cluster), Path.Combine(files.RunOf(Cluster.Coordinator), "journal.id"), Clock);
        await using var processes = new ProcessWatch([.. cluster.Nodes.Values], Clock);
        var starting = journal.UntilAsync(seen => seen.Steps >= 5, Starting, cancellation);
        await await Task.WhenAny(starting, broken);
        if (await starting is not { } began) throw new TimeoutException($"the cluster trained no step within {Starting}; see {files.Root}");
        Say("the cluster trains; nothing happens to it yet");
        await Task.Delay(length / 8, cancellation);
        var undisturbed = Clock();
        var nemesis = new Nemesis(cluster, journal, new FaultTools(cluster, files), Clock, Say);
        var faults = await nemesis.RunAsync(plan, began + length * 7 / 8, cancellation);
        var healed = Clock();
        checks.AddRange(Correctness.OfFaults(faults));

        var before = journal.Now;
        if (await journal.UntilAsync(seen => seen.Steps >= before.Steps + 3, Healing, cancellation) is null) Say($"the run did not go on within {Healing.TotalSeconds:0} s after the last fault");
        var late = await cluster.StopAsync();
        checks.Add(Correctness.Zero("nodes that did not stop by themselves", late.Count) with { Value = late.Count == 0 ? "0" : string.Join(", ", late) });
        await processes.DisposeAsync();
        checks.AddRange(Timing.Of(faults, journal.Rate(began, undisturbed), journal.Rate(undisturbed, healed), processes.Growths()));
        return faults;
    }

    private async Task JudgeAsync(Cluster cluster, Files files, List<Check> checks, CancellationToken cancellation)
    {
        var catalog = new RunCatalog(files.RunsOf(Cluster.Coordinator));
        var settings = catalog.Load(catalog.Find(Files.Run), []).Settings;
        checks.AddRange(Correctness.OfJournal(settings, Path.Combine(files.RunOf(Cluster.Coordinator), "logs", "lateral.log")));
        checks.Add(await Correctness.OfRewardsAsync(settings));
        checks.Add(Leftovers.Files(Path.Combine(files.Root, "nodes")));
        var step = JournalAudit.Run(settings).Ledger.Version;
        Say($"stopped at step {step}; the same run without faults, in one process, for comparison");
        await ReferenceAsync(cluster, files, step, cancellation);
        checks.Add(Correctness.OfWeights(Files.CheckpointIn(files.RunsOf(Cluster.Learner), step), Files.CheckpointIn(files.Reference, step), step));
    }

    private static async Task ReferenceAsync(Cluster cluster, Files files, int step, CancellationToken cancellation)
    {
        var start = cluster.Lateral(
            ReferenceFailpoints(files), "train", files.RunConf, "--runs-dir", files.Reference,
            "--set", string.Create(CultureInfo.InvariantCulture, $"run.steps = {step}"));
        using var process = Process.Start(start)!;
        var said = Task.WhenAll(process.StandardOutput.ReadToEndAsync(cancellation), process.StandardError.ReadToEndAsync(cancellation));
        await process.WaitForExitAsync(cancellation).WaitAsync(Reference, cancellation);
        if (process.ExitCode != 0) throw new InvalidOperationException($"the undisturbed run ended with {process.ExitCode}: {string.Concat(await said)}");
    }

    /// <summary>Only those that belong to the run itself: the steps whose gradient is poisoned.</summary>
    private static string ReferenceFailpoints(Files files)
    {
        var folder = files.FailpointsOf("reference");
        Directory.CreateDirectory(folder);
        foreach (var file in Directory.EnumerateFiles(files.FailpointsOf(Cluster.Learner), "nan-gradient-*")) File.Copy(file, Path.Combine(folder, Path.GetFileName(file)), overwrite: true);
        return folder;
    }

    private static string JournalConnection(Cluster cluster) => $"{cluster.ConnectionString};Password={Environment.GetEnvironmentVariable(Cluster.Password)};Pooling=false;Timeout=3";

    private TimeSpan Clock() => _watch.Elapsed;

    private void Say(string line)
    {
        if (!options.Json) output.WriteLine(line);
        else Console.Error.WriteLine(line);
    }
}
