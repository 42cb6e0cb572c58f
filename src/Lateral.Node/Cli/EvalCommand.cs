using System.Collections.Immutable;
using System.CommandLine;
using System.Text.Json;
using Lateral.Core.Prompts;
using Lateral.Node.Composition;
using Lateral.Node.Display;
using Lateral.Node.Evaluation;
using Lateral.Node.Runs;
using Lateral.Rewards.Data;
using Lateral.Rewards.Suites;

namespace Lateral.Node.Cli;

/// <summary><c>eval</c>: pass@1, greedy and pass@k of a saved policy or a model directory, on held-out prompts or on a file's.</summary>
internal static class EvalCommand
{
    public static Command Create(Terminal terminal)
    {
        var (run, folder, json, unsandboxed) = (OpenedPolicy.Argument(), Options.RunsDir(), Options.Json(), Options.AcceptUnsandboxed());
        var config = OpenedPolicy.Config();
        var data = new Option<string>("--data") { Description = "prompts from a file instead of the task's held-out ones (sudoku CSV, countdown JSONL)", HelpName = "FILE" };
        var prompts = new Option<int?>("--prompts") { Description = "how many prompts (default: eval.final-prompts, or the whole file)" };
        var samples = new Option<int?>("--samples") { Description = "k of pass@k (default: eval.samples)" };
        var vote = new Option<int?>("--vote") { Description = "how many of these samples elect an answer (default: eval.vote)" };
        var suite = new Option<string?>("--suite") { Description = $"problems of --data that a published model's directory is asked: {string.Join(", ", Suite.Names)}", HelpName = "NAME" };
        suite.AcceptOnlyFromAmong([.. Suite.Names]);
        var (to, temperature, batch, completion) = (
            new Option<string?>("--to") { Description = "with --suite: writes every completion and its verdicts here, a JSON object a line", HelpName = "FILE" },
            new Option<double>("--temperature") { Description = "with --suite: 0 is greedy" },
            new Option<int>("--batch") { Description = "with --suite: prompts that are completed together", DefaultValueFactory = _ => 8 }, new CompletionOptions());
        var eval = new Command("eval", Help.Line("evaluate a saved policy or a model directory", "eval first@120 --samples 8")) { run, data, prompts, samples, vote, config, folder, json, suite, to, temperature, batch, unsandboxed };
        completion.AddTo(eval);
        eval.SetAction(async (parsed, cancellation) =>
        {
            if (parsed.GetValue(suite) is { } name)
            {
                var asked = new SuiteRun(Suite.Of(name), parsed.GetValue(run)!, parsed.GetValue(data), Positive("--prompts", parsed.GetValue(prompts)), Positive("--samples", parsed.GetValue(samples)) ?? 1, Positive("--batch", parsed.GetValue(batch))!.Value, parsed.GetValue(to), parsed.GetValue(unsandboxed));
                await asked.RunAsync(terminal, parsed, completion, parsed.GetValue(temperature), parsed.GetValue(json), cancellation);
                return (int)ExitCode.Done;
            }

            var opened = OpenedPolicy.Of(RunsCommand.Catalog(parsed.GetValue(folder)), parsed.GetValue(run)!, parsed.GetValue(config) ?? []);
            await using var rewards = opened.Task.Rewards;
            var source = parsed.GetValue(data) is { } file ? FromFile(file, opened) : EvaluationPrompts.HeldOut(opened.Task.Prompts);
            var evaluation = opened.Settings.Evaluation with
            {
                FinalPrompts = Positive("--prompts", parsed.GetValue(prompts)) ?? (parsed.GetValue(data) is null ? opened.Settings.Evaluation.FinalPrompts : source.Count),
                Samples = Positive("--samples", parsed.GetValue(samples)) ?? opened.Settings.Evaluation.Samples,
            };
            evaluation = evaluation with { Vote = Positive("--vote", parsed.GetValue(vote)) ?? evaluation.Vote };
            if (evaluation.Vote > evaluation.Samples)
                throw new UserException(ExitCode.Usage, $"{evaluation.Vote} of {evaluation.Samples} samples cannot vote - write --samples {evaluation.Vote}, or --vote {evaluation.Samples}");
            opened.RequireTorch();
            await rewards.PrepareAsync(cancellation);
            await using var evaluator = RunComposition.Evaluator(opened.Settings with { Evaluation = evaluation }, opened.Task, new LocalPolicyCache(opened.Directory), source, TimeProvider.System);
            var point = new EvaluationPoint(opened.Policy.Version, await evaluator.EvaluateAsync(opened.Policy, full: true, cancellation));
            terminal.Out.WriteLine(parsed.GetValue(json)
                ? JsonSerializer.Serialize(point.Metrics.Add("step", point.Step))
                : RunLines.Evaluation(point, evaluation.Samples));
            if (!parsed.GetValue(json) && evaluation.Samples > 2) terminal.Out.WriteLine(RunLines.PassAtK(point, evaluation.Samples));
            return (int)ExitCode.Done;
        });
        return eval;
    }

    private static EvaluationPrompts FromFile(string path, OpenedPolicy opened)
    {
        var items = opened.Settings.Data is { } data ? [.. DataSet.Rows(path, data)] : DataFiles.Read(path, opened.Settings.Task.Name);
        var prompts = items.Select((item, index) => Encode(path, index, item, opened.Task.Encoder)).ToImmutableArray();
        return new EvaluationPrompts(prompts.Length, index => prompts[index]);
    }

    private static Prompt Encode(string path, int index, TaskItem item, PromptEncoder encoder)
    {
        try
        {
            return TaskPrompts.Of(index, item, encoder);
        }
        catch (FormatException mistake)
        {
            throw new UserException(ExitCode.Usage, $"{path}: row {index + 1}: {mistake.Message}", mistake);
        }
    }

    private static int? Positive(string option, int? value) =>
        value is <= 0 ? throw new UserException(ExitCode.Usage, $"{option} must be at least 1, got {value}") : value;
}
