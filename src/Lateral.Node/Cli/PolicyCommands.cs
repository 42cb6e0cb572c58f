using System.Collections.Immutable;
using System.CommandLine;
using System.Text.Json;
using Lateral.Core.Policies;
using Lateral.Core.Prompts;
using Lateral.Core.Rollouts;
using Lateral.Core.Runs;
using Lateral.Node.Composition;
using Lateral.Node.Display;
using Lateral.Node.Evaluation;
using Lateral.Node.Runs;
using Lateral.Rewards.Data;
using Spectre.Console;

namespace Lateral.Node.Cli;

/// <summary>A run's policy at one step, ready to be sampled.</summary>
internal sealed record OpenedPolicy(RunSettings Settings, RunDirectory Directory, TaskComposition Task, PolicyManifest Policy)
{
    public static OpenedPolicy Of(RunCatalog catalog, string reference)
    {
        var (name, step) = RunReference.Parse(reference);
        var directory = catalog.Find(name);
        var settings = catalog.Load(directory, []).Settings;
        var (task, policy) = (TaskComposition.Of(settings), SavedPolicy.Find(directory, step));
        return new OpenedPolicy(settings, directory, task, policy);
    }

    /// <summary>Last, because everything else that can be wrong is found faster.</summary>
    public void RequireTorch() => RunComposition.RequireTorch(Settings, Settings.Topology.SamplerDevices[0]);
}

/// <summary><c>eval</c>: pass@1, greedy and pass@k of a saved policy on held-out prompts or on a file's.</summary>
internal static class EvalCommand
{
    public static Command Create(Terminal terminal)
    {
        var (run, folder, json) = (Options.RunAtStep(), Options.RunsDir(), Options.Json());
        var data = new Option<string>("--data") { Description = "prompts from a file instead of the task's held-out ones (sudoku CSV, countdown JSONL)", HelpName = "FILE" };
        var prompts = new Option<int?>("--prompts") { Description = "how many prompts (default: eval.final-prompts, or the whole file)" };
        var samples = new Option<int?>("--samples") { Description = "k of pass@k (default: eval.samples)" };
        var eval = new Command("eval", Help.Line("evaluate a saved policy", "eval first@120 --samples 8")) { run, data, prompts, samples, folder, json };
        eval.SetAction(async (parsed, cancellation) =>
        {
            var opened = OpenedPolicy.Of(RunsCommand.Catalog(parsed.GetValue(folder)), parsed.GetValue(run)!);
            var source = parsed.GetValue(data) is { } file ? FromFile(file, opened) : EvaluationPrompts.HeldOut(opened.Task.Prompts);
            var evaluation = opened.Settings.Evaluation with
            {
                FinalPrompts = Positive("--prompts", parsed.GetValue(prompts)) ?? (parsed.GetValue(data) is null ? opened.Settings.Evaluation.FinalPrompts : source.Count),
                Samples = Positive("--samples", parsed.GetValue(samples)) ?? opened.Settings.Evaluation.Samples,
            };
            opened.RequireTorch();
            await using var evaluator = RunComposition.Evaluator(opened.Settings with { Evaluation = evaluation }, opened.Task, new LocalPolicyCache(opened.Directory), source, TimeProvider.System);
            var point = new EvaluationPoint(opened.Policy.Version, await evaluator.EvaluateAsync(opened.Policy, full: true, cancellation));
            terminal.Out.WriteLine(parsed.GetValue(json)
                ? JsonSerializer.Serialize(point.Metrics.Add("step", point.Step))
                : RunLines.Evaluation(point, evaluation.Samples));
            return (int)ExitCode.Done;
        });
        return eval;
    }

    private static EvaluationPrompts FromFile(string path, OpenedPolicy opened)
    {
        var items = DataFiles.Read(path, opened.Settings.Task.Name);
        var prompts = items.Select((item, index) => Encode(path, index, item, opened.Task.Tokenizer)).ToImmutableArray();
        return new EvaluationPrompts(prompts.Length, index => prompts[index]);
    }

    private static Prompt Encode(string path, int index, TaskItem item, ITokenizer tokenizer)
    {
        try
        {
            return TaskPrompts.Of(index, item, tokenizer);
        }
        catch (FormatException mistake)
        {
            throw new UserException(ExitCode.Usage, $"{path}: row {index + 1}: {mistake.Message}", mistake);
        }
    }

    private static int? Positive(string option, int? value) =>
        value is <= 0 ? throw new UserException(ExitCode.Usage, $"{option} must be at least 1, got {value}") : value;
}

/// <summary><c>sample</c>: completions with the order in which their tokens were revealed.</summary>
internal static class SampleCommand
{
    public static Command Create(Terminal terminal)
    {
        var (run, folder, json) = (Options.RunAtStep(), Options.RunsDir(), Options.Json());
        var prompt = new Argument<string?>("PROMPT") { Description = "a prompt in the task's form; without, some held-out ones", Arity = ArgumentArity.ZeroOrOne };
        var count = new Option<int>("--count") { Description = "how many rollouts", DefaultValueFactory = _ => 8 };
        var temperature = new Option<double?>("--temperature") { Description = "0 is greedy (default: the run's)" };
        var sample = new Command("sample", Help.Line("sample a saved policy and show the reveal order", "sample first --count 4")) { run, prompt, count, temperature, folder, json };
        sample.SetAction(async (parsed, cancellation) =>
        {
            var opened = OpenedPolicy.Of(RunsCommand.Catalog(parsed.GetValue(folder)), parsed.GetValue(run)!);
            var (rollouts, heat) = (parsed.GetValue(count), parsed.GetValue(temperature));
            if (rollouts < 1) throw new UserException(ExitCode.Usage, $"--count must be at least 1, got {rollouts}");
            if (heat is < 0 or > 10) throw new UserException(ExitCode.Usage, $"--temperature must lie in 0 to 10, got {heat}");
            var spec = opened.Settings.Rollout.Spec;
            var views = await SampleAsync(opened, parsed.GetValue(prompt), rollouts, spec with { Temperature = heat ?? spec.Temperature }, cancellation);
            foreach (var view in views) Show(terminal, view, parsed.GetValue(json));
            return (int)ExitCode.Done;
        });
        return sample;
    }

    private static async Task<IReadOnlyList<SampleView>> SampleAsync(OpenedPolicy opened, string? text, int count, RolloutSpec spec, CancellationToken cancellation)
    {
        var tasks = text is null
            ? Enumerable.Range(0, Math.Min(count, opened.Task.Prompts.HeldOutCount)).Select(i => new SampleTask(i, [0], opened.Task.Prompts.HeldOut(i), spec, Evaluation: true)).ToArray()
            : [new SampleTask(0, [.. Enumerable.Range(0, count)], new Prompt(0, Encode(text, opened.Task.Tokenizer), text, ""), spec, Evaluation: true)];
        opened.RequireTorch();
        await using var sampler = RunComposition.EvaluationSampler(opened.Settings, opened.Task);
        var path = await new LocalPolicyCache(opened.Directory).FetchAsync(opened.Policy, cancellation);
        var judge = opened.Task.Judge(opened.Settings);
        var views = new List<SampleView>();
        foreach (var trajectory in (await sampler.SampleAsync(opened.Policy, path, tasks, cancellation)).OrderBy(trajectory => trajectory.Id))
        {
            // A prompt of the user's own has no reference to be judged against.
            var reward = text is null ? (await judge.JudgeAsync(trajectory, tasks[trajectory.Id.Group].Prompt, cancellation)).Reward : (double?)null;
            views.Add(SampleView.Of(trajectory, reward, opened.Task.Tokenizer));
        }

        return views;
    }

    private static ImmutableArray<int> Encode(string text, ITokenizer tokenizer)
    {
        try
        {
            return tokenizer.Encode(text);
        }
        catch (FormatException mistake)
        {
            throw new UserException(ExitCode.Usage, $"PROMPT: {mistake.Message}", mistake);
        }
    }

    private static void Show(Terminal terminal, SampleView view, bool json)
    {
        if (json)
        {
            terminal.Out.WriteLine(JsonSerializer.Serialize(new
            {
                view.Prompt,
                view.Completion,
                view.Reward,
                reveal_step = view.Pieces.Select(piece => piece.Step),
            }, JsonSerializerOptions.Web));
        }
        else if (terminal.Live is { } console)
        {
            console.Write(RunPanel.Sample(view));
            console.WriteLine();
        }
        else
        {
            terminal.Out.WriteLine(RunLines.Sample(view));
        }
    }
}
