using System.Collections.Immutable;
using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using Lateral.Actors.Settings;
using Lateral.Core.Learning;
using Lateral.Core.Runs;
using Lateral.Node.Runs;
using Lateral.Node.Sessions;

namespace Lateral.Node.Comparison;

/// <summary>An algorithm to compare.</summary>
/// <param name="File">its settings, laid over the others</param>
internal sealed record ComparedAlgorithm(string Name, string File, RunSettings Settings)
{
    /// <summary>Preferences learn from another signal than advantages, and stand in a table of their own.</summary>
    public bool IsPreference => CorrectionRules.ByName(Settings.Learner.Correction.Name).Preference;

    /// <summary>So do corpora.</summary>
    public bool IsSupervised => Settings.SupervisedOnly;
}

/// <summary>
/// Algorithms side by side: one base, made once (and one more for autoregressive twins, which can begin with no other's); then every algorithm with every seed from it, one process after
/// the other, each for the same seconds.
/// The learning rate stays at its peak, because how many steps fit into the budget is not known. What is there already is not run again.
/// </summary>
/// <param name="confs">what all have in common</param>
/// <param name="folder">of the runs</param>
internal sealed class AlgorithmComparison(ImmutableArray<string> confs, ImmutableArray<string> sets, string folder, TimeSpan budget, int prompts, Action<string> say)
{
    private const string Result = "compared.json";

    /// <summary>Steps of a supervised run that are timed before it.</summary>
    private const int Timed = 30;

    /// <summary>Starting, the base's evaluation and the warm-up come before the budget, saving after it.</summary>
    private static readonly TimeSpan Overhead = TimeSpan.FromMinutes(30), Stopping = TimeSpan.FromMinutes(5);

    /// <exception cref="UserException">the base cannot be made; an algorithm that fails is a result</exception>
    public async Task<ImmutableArray<ComparedRun>> RunAsync(ImmutableArray<ComparedAlgorithm> algorithms, int seeds, CancellationToken cancellation)
    {
        var runs = ImmutableArray.CreateBuilder<ComparedRun>();
        foreach (var algorithm in algorithms)
        {
            var start = await (algorithm.Settings.Model.Causal ? BaseAsync("base-causal", [.. confs, algorithm.File], cancellation) : BaseAsync("base", confs, cancellation));
            for (var seed = 1; seed <= seeds; seed++)
            {
                var run = await (algorithm.IsSupervised ? SupervisedAsync(algorithm, seed, start, cancellation) : OneAsync(algorithm, seed, start, cancellation));
                say(run.Failure is { } failure
                    ? $"{algorithm.Name}, seed {seed}: FAILED, {failure}"
                    : string.Create(CultureInfo.InvariantCulture, $"{algorithm.Name}, seed {seed}: {run.Steps.Length} steps, late {(algorithm.IsSupervised ? "loss" : "reward")} {run.LateReward:0.000}, held-out pass@1 {run.PassAt1:0.000}"));
                runs.Add(run);
            }
        }

        return runs.ToImmutable();
    }

    /// <returns>the folder of the base's weights</returns>
    private async Task<string> BaseAsync(string name, ImmutableArray<string> files, CancellationToken cancellation)
    {
        var weights = Path.Combine(folder, name, "checkpoints", "step_0");
        if (File.Exists(Path.Combine(folder, name, Result))) return weights;
        say($"{name}, which {(name == "base" ? "all" : "autoregressive twins")} begin with");
        Clear(name);
        var (code, last) = await ProcessAsync(["train", .. files, "--name", name, "--runs-dir", folder, "--json", .. Sets([.. sets, "run.steps = 1", "reward.on-constant = go-on", "eval.every = 0", "eval.final-prompts = 16"])], _ => false, cancellation);
        if (code != ExitCode.Done) throw new UserException(code, $"the base cannot be made: {last}");
        await File.WriteAllTextAsync(Path.Combine(folder, name, Result), "{}", cancellation);
        return weights;
    }

    private async Task<ComparedRun> OneAsync(ComparedAlgorithm algorithm, int seed, string start, CancellationToken cancellation)
    {
        var name = $"{algorithm.Name}-{seed}";
        var result = Path.Combine(folder, name, Result);
        if (!File.Exists(result))
        {
            Clear(name);
            ImmutableArray<string> own =
            [
                .. sets, $"run.seed = {seed}", "run.steps = 1000000", "algorithm.lr-schedule.decay = constant", "eval.every = 0", "eval.final-prompts = 16",
                $"model.path = {JsonSerializer.Serialize(start)}", "warmup.steps = 0", "reward.on-constant = go-on",
            ];
            var (code, last) = await ProcessAsync(["train", .. confs, algorithm.File, "--name", name, "--runs-dir", folder, "--json", .. Sets(own)], Spending(), cancellation);
            if (code is not (ExitCode.Done or ExitCode.Interrupted)) return Failed(algorithm, seed, last);
            if (await EvaluateAsync(name, cancellation) is { } failure) return Failed(algorithm, seed, failure);
        }

        var rollouts = algorithm.Settings.Rollout;
        var steps = ComparedRun.Read(new RunDirectory(Path.Combine(folder, name)), rollouts.GroupsPerStep * rollouts.GroupSize, budget);
        return steps.IsEmpty
            ? Failed(algorithm, seed, $"no step ended within {budget.TotalSeconds:0} s, try a larger --budget")
            : new(algorithm.Name, seed, steps, PassAt1(name), null);
    }

    private static ComparedRun Failed(ComparedAlgorithm algorithm, int seed, string why) => new(algorithm.Name, seed, [], double.NaN, why);

    /// <summary>The last of a run, whose result then stands.</summary>
    /// <returns>why it has none; null = it has</returns>
    private async Task<string?> EvaluateAsync(string name, CancellationToken cancellation)
    {
        var (code, last) = await ProcessAsync(["eval", name, "--runs-dir", folder, "--json", "--prompts", $"{prompts}", "--samples", "1"], _ => false, cancellation);
        if (code != ExitCode.Done) return last;
        await File.WriteAllTextAsync(Path.Combine(folder, name, Result), last, cancellation);
        return null;
    }

    private double PassAt1(string name)
    {
        using var evaluation = JsonDocument.Parse(File.ReadAllText(Path.Combine(folder, name, Result)));
        return evaluation.RootElement.GetProperty("eval/pass_at_1").GetDouble();
    }

    /// <summary>
    /// A supervised run decays its learning rate, so it has to know how many steps fit into the budget: a few are timed, and thrown away.
    /// </summary>
    private async Task<ComparedRun> SupervisedAsync(ComparedAlgorithm algorithm, int seed, string start, CancellationToken cancellation)
    {
        var name = $"{algorithm.Name}-{seed}";
        var result = Path.Combine(folder, name, Result);
        if (!File.Exists(result))
        {
            var (code, last, timed) = await WarmUpAsync(algorithm, seed, start, Timed, cancellation);
            if (code != ExitCode.Done) return Failed(algorithm, seed, last);
            (code, last, timed) = await WarmUpAsync(algorithm, seed, start, Math.Max(1, (int)(budget.TotalSeconds / timed.SecondsPerStep)), cancellation);
            if (code != ExitCode.Done) return Failed(algorithm, seed, last);
            timed.Write(Path.Combine(folder, name));
            if (await EvaluateAsync(name, cancellation) is { } failure) return Failed(algorithm, seed, failure);
        }

        return new(algorithm.Name, seed, SupervisedSteps.Read(Path.Combine(folder, name)), PassAt1(name), null);
    }

    private async Task<(ExitCode Code, string Last, SupervisedSteps Steps)> WarmUpAsync(ComparedAlgorithm algorithm, int seed, string start, int steps, CancellationToken cancellation)
    {
        var name = $"{algorithm.Name}-{seed}";
        Clear(name);
        var told = new SupervisedSteps(algorithm.Settings.Warmup.Batch);
        ImmutableArray<string> own = [.. sets, $"run.seed = {seed}", "run.steps = 0", $"warmup.steps = {steps}", "eval.every = 0", "eval.final-prompts = 16", $"model.path = {JsonSerializer.Serialize(start)}"];
        var (code, last) = await ProcessAsync(["train", .. confs, algorithm.File, "--name", name, "--runs-dir", folder, "--json", .. Sets(own)], line =>
        {
            told.Take(line);
            return false;
        }, cancellation);
        return (code, last, told);
    }

    /// <summary>The budget runs from a process's first step on; what came after it by the run's own clock is left out when the run is read.</summary>
    private Func<string, bool> Spending()
    {
        long? since = null;
        return line =>
        {
            if (!line.StartsWith("{\"event\":\"step\"", StringComparison.Ordinal)) return false;
            since ??= Stopwatch.GetTimestamp();
            return Stopwatch.GetElapsedTime(since.Value) > budget;
        };
    }

    /// <param name="enough">whether a line that the process says is its last</param>
    /// <returns>how it ended, and the last line that it said, of a mistake the first</returns>
    private async Task<(ExitCode Code, string Last)> ProcessAsync(IEnumerable<string> arguments, Func<string, bool> enough, CancellationToken cancellation)
    {
        using var process = new Process { StartInfo = ChildProcess.Start(arguments) };
        var (last, mistake) = ("", "");
        process.OutputDataReceived += (_, line) =>
        {
            if (line.Data is not { Length: > 0 } text) return;
            last = text;
            if (enough(text)) ChildProcess.CloseInput(process);
        };
        process.ErrorDataReceived += (_, line) =>
        {
            if (mistake.Length == 0 && line.Data is { Length: > 0 } text) mistake = text;
        };
        process.Start();
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        deadline.CancelAfter(budget + Overhead);
        try
        {
            await process.WaitForExitAsync(deadline.Token);
        }
        catch (OperationCanceledException)
        {
            ChildProcess.CloseInput(process);
            using var patience = new CancellationTokenSource(Stopping);
            await process.WaitForExitAsync(patience.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (!process.HasExited) process.Kill();
            cancellation.ThrowIfCancellationRequested();
            return (ExitCode.Resumable, $"it did not end within {(budget + Overhead).TotalMinutes:0} minutes");
        }

        return ((ExitCode)process.ExitCode, mistake.Length > 0 && process.ExitCode != 0 ? mistake : last);
    }

    /// <summary>Of a run that was begun and not ended.</summary>
    private void Clear(string name)
    {
        var run = Path.Combine(folder, name);
        if (Directory.Exists(run)) Directory.Delete(run, recursive: true);
    }

    private static IEnumerable<string> Sets(IEnumerable<string> sets) => sets.SelectMany(set => new[] { "--set", set });
}
