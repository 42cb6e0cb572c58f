using System.CommandLine;
using Lateral.Actors.Settings;
using Lateral.Configuration;
using Lateral.Node.Composition;
using Lateral.Node.Display;

namespace Lateral.Node.Cli;

/// <summary><c>config check</c>: everything that can be known of a configuration without starting it.</summary>
internal static class ConfigCommand
{
    public static Command Create(Terminal terminal)
    {
        var (files, sets, json) = (Options.Configs(), Options.Set(), Options.Json());
        var check = new Command("check", Help.Line("say what configuration files mean, or all that is wrong with them", "config check hocon/quickstart.conf")) { files, sets, json };
        check.SetAction(parsed => Check(terminal, parsed.GetValue(files)!, parsed.GetValue(sets) ?? [], parsed.GetValue(json)));
        return new Command("config", Help.Line("look at configurations", "config check hocon/quickstart.conf")) { check };
    }

    private static int Check(Terminal terminal, string[] files, string[] sets, bool json)
    {
        var loaded = RunSettingsLoader.Load(files, sets);
        var task = TaskComposition.Of(loaded.Settings);
        if (json)
        {
            terminal.Out.WriteLine(CanonicalJson.Write(loaded.Resolved, indented: true));
            return (int)ExitCode.Done;
        }

        terminal.Out.WriteLine(RunLines.Header(loaded.Settings));
        terminal.Out.WriteLine($"prompts such as \"{task.Prompts.Train(0).Text}\", {task.Prompts.HeldOutCount} held out, vocabulary of {task.Tokenizer.VocabularySize}");
        foreach (var note in Advice.On(loaded.Settings)) terminal.Out.WriteLine($"note   {note}");
        terminal.Out.WriteLine("no mistakes");
        return (int)ExitCode.Done;
    }
}
