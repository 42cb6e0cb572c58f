using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;

namespace Lateral.Simulation.Tests;

/// <summary>Many seeds, a thread per core, each run wholly on its thread.</summary>
internal sealed class Sweep
{
    private static readonly ConcurrentDictionary<Shape, Lazy<string>> CalmWeights = new();

    private readonly Lock _gate = new();
    private readonly SortedDictionary<string, long> _counts = new(StringComparer.Ordinal);
    private readonly List<string> _failures = [];

    /// <summary>Each with its seed, what broke, the last events and the command that runs it again.</summary>
    public IReadOnlyList<string> Failures => _failures;

    /// <summary>How often each kind of thing happened, over all runs.</summary>
    public IReadOnlyDictionary<string, long> Counts => _counts;

    public int Runs { get; private set; }

    public TimeSpan LongestRecovery { get; private set; }

    public string Summary { get; private set; } = "";

    /// <param name="enough">no further seed is begun once so many have failed</param>
    public static Sweep Of(IEnumerable<Scenario> scenarios, Plant plant = Plant.None, int enough = 3, bool twice = false)
    {
        var sweep = new Sweep();
        var watch = Stopwatch.StartNew();
        sweep.Run([.. scenarios], plant, enough, twice);
        sweep.Summary = string.Create(
            CultureInfo.InvariantCulture,
            $"{sweep.Runs} runs in {watch.Elapsed.TotalSeconds:0.0} s ({sweep.Runs / watch.Elapsed.TotalSeconds:0.0}/s), {sweep.Failures.Count} failed, longest recovery {sweep.LongestRecovery.TotalSeconds:0.0} virtual s; {string.Join(", ", sweep.Counts.Select(pair => $"{pair.Value} {pair.Key}"))}");
        return sweep;
    }

    private void Run(Scenario[] scenarios, Plant plant, int enough, bool twice)
    {
        var next = -1;
        Exception? broken = null;
        // Threads of their own: those of the pool and of xunit bring schedulers and contexts along.
        Thread[] threads = [.. Enumerable.Range(0, Environment.ProcessorCount).Select(_ => new Thread(Work))];
        foreach (var thread in threads) thread.Start();
        foreach (var thread in threads) thread.Join();
        if (broken is not null) throw new InvalidOperationException("the simulation itself failed", broken);

        void Work()
        {
            try
            {
                for (int index; _failures.Count < enough && (index = Interlocked.Increment(ref next)) < scenarios.Length;) One(scenarios[index], plant, twice);
            }
            catch (Exception failure)
            {
                broken = failure;
            }
        }
    }

    private void One(Scenario scenario, Plant plant, bool twice)
    {
        var outcome = Simulation.Run(scenario, plant);
        var wrong = outcome.Broken.ToList();
        if (wrong.Count == 0 && scenario.Shape.Deterministic)
        {
            var calm = CalmWeights.GetOrAdd(scenario.Shape, shape => new Lazy<string>(() => Calm(shape))).Value;
            if (outcome.Weights != calm) wrong.Add($"I5 Replay: the weights are {outcome.Weights}, those of the same run without faults {calm}");
        }

        if (twice && Simulation.Run(scenario, plant) is var again && (again.Trace.Hash, again.Steps) != (outcome.Trace.Hash, outcome.Steps))
            wrong.Add($"Simulation: {outcome.Steps} steps with trace {outcome.Trace.Hash:x}, and again {again.Steps} with {again.Trace.Hash:x}");

        lock (_gate)
        {
            Runs++;
            if (outcome.Elapsed - scenario.Trouble > LongestRecovery) LongestRecovery = outcome.Elapsed - scenario.Trouble;
            foreach (var (kind, count) in outcome.Trace.Counts) _counts[kind] = _counts.GetValueOrDefault(kind) + count;
            if (wrong.Count > 0) _failures.Add(Describe(outcome, wrong));
        }
    }

    private static string Calm(Shape shape)
    {
        var outcome = Simulation.Run(Scenario.Calm(shape));
        return outcome.Broken.Count == 0 ? outcome.Weights : throw new InvalidOperationException($"{shape} fails without any fault: {string.Join("; ", outcome.Broken)}");
    }

    private static string Describe(Outcome outcome, List<string> wrong) => $"""
        {outcome.Scenario}
        {string.Join('\n', wrong.Take(5))}
        at {outcome.Elapsed.TotalSeconds.ToString("0.000", CultureInfo.InvariantCulture)} virtual seconds, after:
        {string.Join('\n', outcome.Trace.Last(60))}
        Again: {Seeds.Variable}={outcome.Scenario.Seed}..{outcome.Scenario.Seed} dotnet test tests/Lateral.Simulation.Tests --filter Seeds_must
        If it is a bug of the product, keep the seed in failing-seeds.txt.

        """;
}
