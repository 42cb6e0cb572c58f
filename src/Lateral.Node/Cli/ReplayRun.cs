using System.CommandLine;
using System.Text.Json;
using Lateral.Actors.Settings;
using Lateral.Configuration;
using Lateral.Core.Runs;
using Lateral.Node.Composition;
using Lateral.Node.Display;
using Lateral.Node.Evaluation;
using Lateral.Node.Runs;
using Lateral.Node.Sessions;

namespace Lateral.Node.Cli;

/// <summary>
/// <c>runs replay</c>: trains a run's journaled batches again and compares every step's weights with the published ones; with other
/// settings of the algorithm it says instead what would have come out.
/// </summary>
internal static class ReplayRun
{
    /// <summary>They change what is made of a batch, not what is in it.</summary>
    private static readonly string[] Changeable = ["algorithm.", "learner.", "compute.", "topology.roles.learner.", "reward.pools."];

    private static readonly string[] Shown = ["ratio/ess", "kl/behaviour", "optim/grad_norm", "optim/loss"];

    public static Command Create(Terminal terminal, Option<string> folder, Option<bool> json)
    {
        var (name, sets) = (Options.Run(), Options.Set());
        var until = new Option<int?>("--until") { Description = "last step to train again (default: the journal's last)", HelpName = "STEP" };
        var algorithm = new Option<string>("--algorithm") { Description = "what another algorithm would have made of the same rollouts", HelpName = "NAME" };
        var replay = new Command("replay", Help.Line("train the journaled batches again and compare the weights, or ask what other settings would have done", "runs replay first --until 20")) { name, until, algorithm, sets };
        replay.SetAction(async (parsed, cancellation) =>
        {
            string[] changes = [.. parsed.GetValue(sets) ?? [], .. TrainCommand.Given("algorithm.name", parsed.GetValue(algorithm))];
            return (int)await RunAsync(terminal, RunsCommand.Catalog(parsed.GetValue(folder)), parsed.GetValue(name)!, parsed.GetValue(until), changes, parsed.GetValue(json), cancellation);
        });
        return replay;
    }

    private static async Task<ExitCode> RunAsync(Terminal terminal, RunCatalog catalog, string name, int? until, string[] changes, bool json, CancellationToken cancellation)
    {
        var run = catalog.Find(name);
        var recorded = catalog.Load(run, []);
        var settings = changes.Length == 0 ? recorded.Settings : Changed(recorded, catalog.Load(run, changes));
        var task = TaskComposition.Of(settings);
        await using var rewards = task.Rewards;
        var scratch = new RunDirectory(Directory.CreateTempSubdirectory("lateral-replay-").FullName);
        try
        {
            var replay = new LearnerReplay(recorded.Settings, settings, run, scratch);
            if (replay.Steps == 0) throw new UserException(ExitCode.Usage, $"the journal of '{name}' has no step to replay");
            var last = until ?? replay.Steps;
            if (last < 1 || last > replay.Steps) throw new UserException(ExitCode.Usage, $"--until {last}: the journal of '{name}' has steps 1 to {replay.Steps}");
            RunComposition.RequireTorch(settings, settings.Topology.LearnerDevice);
            var (different, final) = (new List<int>(), (ReplayedStep?)null);
            await foreach (var step in replay.RunAsync(last, task, cancellation))
            {
                final = step;
                if (!step.Same) different.Add(step.Journaled.Step);
                terminal.Out.WriteLine(json ? ToJson(step) : Line(step, whatIf: changes.Length > 0));
            }

            if (changes.Length > 0) await rewards.PrepareAsync(cancellation);
            if (changes.Length > 0) await EvaluateAsync(terminal, settings, task, run, scratch, final!, json, cancellation);
            else if (!json) terminal.Out.WriteLine(different.Count == 0 ? $"{last} steps trained again, every one to the same weights" : $"{different.Count} of {last} steps came out otherwise, first step {different[0]}");
            return changes.Length > 0 || different.Count == 0 ? ExitCode.Done : ExitCode.Violated;
        }
        finally
        {
            Directory.Delete(scratch.Root, recursive: true);
        }
    }

    /// <exception cref="UserException">a change would alter the rollouts themselves</exception>
    private static RunSettings Changed(LoadedSettings recorded, LoadedSettings wanted)
    {
        var others = ConfigDiff.Between(recorded.Resolved, wanted.Resolved).Select(change => change.Path).Where(path => !Changeable.Any(prefix => path.StartsWith(prefix, StringComparison.Ordinal))).ToList();
        return others.Count == 0
            ? wanted.Settings
            : throw new UserException(ExitCode.Usage, $"a replay cannot change {string.Join(", ", others)}: the rollouts are as they were sampled; it can change {string.Join(", ", Changeable.Select(prefix => prefix + "*"))}");
    }

    private static string Line(ReplayedStep step, bool whatIf)
    {
        var (journaled, replayed) = (step.Journaled, step.Replayed);
        if (!whatIf) return $"step {journaled.Step}  {(step.Same ? "same" : "OTHER")}  {replayed.Policy.Hash[..12]}{(step.Same ? "" : $" instead of {journaled.Policy.Hash[..12]}")}";
        var figures = Shown.Where(key => journaled.Metrics.ContainsKey(key) && replayed.Metrics.ContainsKey(key))
            .Select(key => $"{key} {Words.Fixed(journaled.Metrics[key], 4)} -> {Words.Fixed(replayed.Metrics[key], 4)}");
        return $"step {journaled.Step}  {string.Join("  ", figures)}";
    }

    private static string ToJson(ReplayedStep step) => JsonSerializer.Serialize(
        new { step.Journaled.Step, step.Same, Journaled = new { step.Journaled.Policy.Hash, step.Journaled.Metrics }, Replayed = new { step.Replayed.Policy.Hash, step.Replayed.Metrics } }, JsonSerializerOptions.Web);

    /// <summary>What the other settings made of the rollouts, beside what the run made of them, where it was evaluated at that step.</summary>
    private static async Task EvaluateAsync(
        Terminal terminal, RunSettings settings, TaskComposition task, RunDirectory run, RunDirectory scratch, ReplayedStep final, bool json, CancellationToken cancellation)
    {
        await using var evaluator = RunComposition.Evaluator(settings, task, new LocalPolicyCache(scratch), EvaluationPrompts.HeldOut(task.Prompts), TimeProvider.System);
        var point = new EvaluationPoint(final.Replayed.Step, await evaluator.EvaluateAsync(final.Replayed.Policy, full: true, cancellation));
        if (json)
        {
            terminal.Out.WriteLine(JsonSerializer.Serialize(point, JsonSerializerOptions.Web));
            return;
        }

        terminal.Out.WriteLine($"what if:  {RunLines.Evaluation(point, settings.Evaluation.Samples)}");
        if (RunRecorder.ReadEvaluations(run).LastOrDefault(recorded => recorded.Step == point.Step) is { } known)
            terminal.Out.WriteLine($"the run:  {RunLines.Evaluation(known, settings.Evaluation.Samples)}");
    }
}
