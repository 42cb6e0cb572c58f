using System.CommandLine;
using System.Text.Json.Nodes;
using Lateral.Actors.Settings;
using Lateral.Configuration;
using Lateral.Core.Runs;
using Lateral.Node.Composition;
using Lateral.Node.Display;

namespace Lateral.Node.Cli;

/// <summary><c>config check</c>: what a configuration means, or all that is wrong with it.</summary>
internal static class ConfigCheckCommand
{
    public static Command Create(Terminal terminal)
    {
        var (files, sets, json) = (Options.Configs(), Options.Set(), Options.Json());
        var check = new Command("check", Help.Line("say what configuration files mean, or all that is wrong with them", "config check hocon/quickstart.conf")) { files, sets, json };
        check.SetAction(parsed => Check(terminal, parsed.GetValue(files)!, parsed.GetValue(sets) ?? [], parsed.GetValue(json)));
        return check;
    }

    private static int Check(Terminal terminal, string[] files, string[] sets, bool json)
    {
        if (json) return CheckAsJson(terminal, files, sets);
        var settings = RunSettingsLoader.Load(files, sets, null, ShippedPlugins.All).Settings;
        var task = TaskComposition.Of(settings);
        terminal.Out.WriteLine(RunLines.Header(settings));
        if (RunData.Missing(settings) is null)
        {
            if (RunData.Require(settings, task.Task) is { } rows) terminal.Out.WriteLine($"data: {rows}");
            terminal.Out.WriteLine($"prompts such as \"{task.Prompts.Train(0).Text}\", {task.Prompts.HeldOutCount} held out, vocabulary of {task.Tokenizer.VocabularySize}");
        }

        if (!settings.SupervisedOnly) terminal.Out.WriteLine(Batch(settings));
        foreach (var note in Advice.On(settings)) terminal.Out.WriteLine($"note   {note}");
        terminal.Out.WriteLine("no mistakes");
        return (int)ExitCode.Done;
    }

    private static int CheckAsJson(Terminal terminal, string[] files, string[] sets)
    {
        try
        {
            var loaded = RunSettingsLoader.Load(files, sets, null, ShippedPlugins.All);
            ConfigCommand.WriteJson(terminal, new JsonObject
            {
                ["valid"] = true,
                ["mistakes"] = new JsonArray(),
                ["notes"] = new JsonArray([.. Advice.On(loaded.Settings).Select(note => JsonValue.Create(note))]),
                ["settings"] = ConfigCommand.Json(Secrets.Redact(loaded.Resolved)),
            });
            return (int)ExitCode.Done;
        }
        catch (ConfigException wrong)
        {
            var mistakes = wrong.Errors.Select(error => new JsonObject
            {
                ["file"] = error.Origin.Source,
                ["line"] = error.Origin.Line,
                ["column"] = error.Origin.Column,
                ["message"] = error.Message,
            });
            ConfigCommand.WriteJson(terminal, new JsonObject { ["valid"] = false, ["mistakes"] = new JsonArray([.. mistakes]) });
            return (int)ExitCode.Usage;
        }
    }

    /// <summary>The batch arithmetic behind the header: every size with its unit.</summary>
    private static string Batch(RunSettings settings)
    {
        var (groups, size, spec) = (settings.Rollout.GroupsPerStep, settings.Rollout.GroupSize, settings.Rollout.Spec);
        var rollouts = groups * size;
        var ahead = (settings.MaxStaleness + 1) * groups;
        return $"batch of {groups} prompts x {size} = {Words.Count(rollouts)} rollouts, x {spec.GenLength} = {Words.Count((double)rollouts * spec.GenLength)} generated tokens, "
            + $"in {settings.Learner.Shards} gradient shards; {Words.Count(settings.Steps * (double)rollouts)} rollouts in the run, at most {Words.Count(ahead)} prompts ({Words.Count((double)ahead * size)} rollouts) in flight";
    }
}
