using System.CommandLine;
using Lateral.Core.Runs;
using Lateral.Node.Composition;
using Lateral.Node.Display;
using Lateral.Node.Runs;

namespace Lateral.Node.Cli;

/// <summary><c>fork</c>: a new run from another run's checkpoint.</summary>
internal static class ForkCommand
{
    public static Command Create(Terminal terminal)
    {
        var (parent, sets, folder, json) = (Options.RunAtStep(), Options.Set(), Options.RunsDir(), Options.Json());
        var name = new Option<string>("--name") { Description = "the fork's name", Required = true };
        var dry = new Option<bool>("--dry-run") { Description = "say what the fork would do and write, and start nothing" };
        var fork = new Command("fork", Help.Line("start a new run from a saved step's weights and optimizer", "fork first@120 --name second --set algorithm.lr=5e-5")) { parent, name, sets, folder, dry, json };
        fork.SetAction(async (parsed, cancellation) =>
        {
            var forked = Fork.Of(RunsCommand.Catalog(parsed.GetValue(folder)), RunReference.Parse(parsed.GetValue(parent)!), parsed.GetValue(name)!, parsed.GetValue(sets) ?? []);
            RequireVocabulary(forked);
            var (run, settings) = (new NewRun(forked.Settings.Settings, forked.Create, forked.Checkpoint), forked.Settings.Settings);
            terminal.Error.WriteLine($"fork of {settings.ForkedFrom}: weights {forked.From.Hash[..12]} and their optimizer are version 0, prompts from {Words.Count(settings.FirstPrompt)} on");
            return parsed.GetValue(dry)
                ? await run.DescribeAsync(terminal, parsed.GetValue(json), cancellation)
                : await run.StartAsync(terminal, parsed.GetValue(json), cancellation);
        });
        return fork;
    }

    private static string Vocabulary(string? alphabet) => alphabet is null ? "bytes" : $"\"{alphabet.Trim()}\"";

    /// <summary>Weights know tokens by number: under another alphabet they would load and mean something else.</summary>
    private static void RequireVocabulary(Fork fork)
    {
        // A model's own tokenizer knows all texts.
        if (RunTokenizer.IsModels(fork.Settings.Settings.Model)) return;
        var (before, after) = (TaskComposition.Of(fork.ParentSettings).Task.Alphabet, TaskComposition.Of(fork.Settings.Settings).Task.Alphabet);
        if (before != after)
            throw new UserException(ExitCode.Usage, $"a fork cannot change task.name to {fork.Settings.Settings.Task.Name}: its vocabulary is {Vocabulary(after)}, the checkpoint's is {Vocabulary(before)}");
    }
}
