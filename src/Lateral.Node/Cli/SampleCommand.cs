using System.Collections.Immutable;
using System.CommandLine;
using System.Text.Json;
using Lateral.Core.Prompts;
using Lateral.Core.Rollouts;
using Lateral.Node.Composition;
using Lateral.Node.Display;
using Lateral.Node.Runs;
using Lateral.Node.Sessions;

namespace Lateral.Node.Cli;

/// <summary><c>sample</c>: completions with the order in which their tokens were revealed.</summary>
internal static class SampleCommand
{
    public static Command Create(Terminal terminal)
    {
        var (run, folder, json, config) = (OpenedPolicy.Argument(), Options.RunsDir(), Options.Json(), OpenedPolicy.Config());
        var prompt = new Option<string[]>("--prompt") { Description = "a prompt in the task's form, repeatable (default: held-out ones)", HelpName = "TEXT" };
        var count = new Option<int>("--count") { Description = "how many rollouts of each prompt, or of how many held-out prompts", DefaultValueFactory = _ => 8 };
        var temperature = new Option<double?>("--temperature") { Description = "0 is greedy (default: the run's)" };
        var completion = new CompletionOptions();
        var sample = new Command("sample", Help.Line("sample a saved policy or a model directory and watch it denoise", "sample first --prompt 90210 --count 4")) { run, prompt, count, temperature, config, folder, json };
        completion.AddTo(sample);
        sample.SetAction(async (parsed, cancellation) =>
        {
            if (OpenedPolicy.IsPublished(parsed.GetValue(run)!, parsed.GetValue(config) ?? []))
            {
                await PublishedSampling.RunAsync(terminal, parsed, completion, parsed.GetValue(run)!, parsed.GetValue(prompt) ?? [], parsed.GetValue(temperature) ?? 0, parsed.GetValue(json), cancellation);
                return (int)ExitCode.Done;
            }

            var opened = OpenedPolicy.Of(RunsCommand.Catalog(parsed.GetValue(folder)), parsed.GetValue(run)!, parsed.GetValue(config) ?? []);
            await using var rewards = opened.Task.Rewards;
            var (rollouts, heat) = (parsed.GetValue(count), parsed.GetValue(temperature));
            if (rollouts is < 1 or > 65_536) throw new UserException(ExitCode.Usage, $"--count must lie in 1 to 65,536, got {rollouts}");
            if (heat is < 0 or > 10) throw new UserException(ExitCode.Usage, $"--temperature must lie in 0 to 10, got {heat}");
            var spec = opened.Settings.Rollout.Spec;
            var views = await SampleAsync(opened, parsed.GetValue(prompt) ?? [], rollouts, spec with { Temperature = heat ?? spec.Temperature }, cancellation);
            await ShowAsync(terminal, views, parsed.GetValue(json));
            return (int)ExitCode.Done;
        });
        return sample;
    }

    private static async Task<IReadOnlyList<SampleView>> SampleAsync(OpenedPolicy opened, string[] texts, int count, RolloutSpec spec, CancellationToken cancellation)
    {
        var heldOut = texts.Length == 0;
        SampleTask[] tasks = heldOut
            ? [.. Enumerable.Range(0, Math.Min(count, opened.Task.Prompts.HeldOutCount)).Select(i => new SampleTask(i, [0], opened.Task.Prompts.HeldOut(i), spec, Evaluation: true))]
            : [.. texts.Select((text, i) => new SampleTask(i, [.. Enumerable.Range(0, count)], new Prompt(i, Encode(text, opened.Task.Encoder), text, ""), spec, Evaluation: true))];
        opened.RequireTorch();
        if (heldOut) await opened.Task.Rewards.PrepareAsync(cancellation);
        await using var sampler = RunComposition.EvaluationSampler(opened.Settings, opened.Task);
        var path = await new LocalPolicyCache(opened.Directory).FetchAsync(opened.Policy, cancellation);
        var judge = opened.Task.Judge(opened.Settings);
        var views = new List<SampleView>();
        foreach (var trajectory in (await sampler.SampleAsync(opened.Policy, path, tasks, cancellation)).OrderBy(trajectory => trajectory.Id))
        {
            // A prompt of the user's own has no reference to be judged against.
            var reward = heldOut ? (await judge.JudgeAsync(trajectory, tasks[trajectory.Id.Group].Prompt, cancellation)).Reward : (double?)null;
            views.Add(SampleView.Of(trajectory, reward, opened.Task.Tokenizer));
        }

        return views;
    }

    private static ImmutableArray<int> Encode(string text, PromptEncoder encoder)
    {
        try
        {
            return encoder.Encode(text);
        }
        catch (FormatException mistake)
        {
            throw new UserException(ExitCode.Usage, $"--prompt {text}: {mistake.Message}", mistake);
        }
    }

    private static async Task ShowAsync(Terminal terminal, IReadOnlyList<SampleView> views, bool json)
    {
        if (!json && terminal.Live is { } console)
        {
            // Ctrl-C skips the show, so that a terminal is never left in the middle of a frame.
            using var interruption = Interruption.OfProcess();
            await DenoisingAnimation.PlayAsync(console, views, interruption.Requested, TimeProvider.System);
            return;
        }

        foreach (var view in views) terminal.Out.WriteLine(json ? ToJson(view) : RunLines.Sample(view));
    }

    private static string ToJson(SampleView view) => JsonSerializer.Serialize(
        new { view.Prompt, view.Completion, view.Reward, reveal_step = view.Pieces.Select(piece => piece.Step) }, JsonSerializerOptions.Web);
}
