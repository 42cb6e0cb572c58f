using System.CommandLine;
using System.CommandLine.Completions;
using System.CommandLine.Invocation;
using Lateral.Configuration;
using Lateral.Node.Sessions;

namespace Lateral.Node.Cli;

/// <summary>The command line: parse, run, and turn whatever goes wrong into one message and an exit code.</summary>
public static class CommandLine
{
    public static async Task<int> RunAsync(string[] arguments, Terminal terminal)
    {
        var parsed = Build(terminal).Parse(arguments);
        var configuration = new InvocationConfiguration
        {
            Output = terminal.Out,
            Error = terminal.Error,
            EnableDefaultExceptionHandler = false,
            ProcessTerminationTimeout = null,
        };
        if (parsed.Errors.Count > 0)
        {
            if (parsed.Action is ParseErrorAction action) action.ShowHelp = false;
            await parsed.InvokeAsync(configuration);
            await terminal.Error.WriteLineAsync($"see {Commands.Program} --help");
            return (int)ExitCode.Usage;
        }

        try
        {
            return await parsed.InvokeAsync(configuration);
        }
        catch (Exception error)
        {
            var (code, message) = Failure.Describe(error);
            // A configuration's message is a list of mistakes; any other is one message, perhaps of several lines.
            var next = error is ConfigException ? "error  " : "       ";
            await terminal.Error.WriteLineAsync($"error  {string.Join('\n' + next, message.ReplaceLineEndings("\n").Split('\n'))}");
            return (int)code;
        }
    }

    internal static RootCommand Build(Terminal terminal)
    {
        var root = new RootCommand("Lateral: asynchronous reinforcement learning of masked diffusion language models")
        {
            InitCommand.Create(terminal),
            TrainCommand.Create(terminal),
            ResumeCommand.Create(terminal),
            ForkCommand.Create(terminal),
            NodeCommand.Create(terminal),
            DemoClusterCommand.Create(terminal),
            RunsCommand.Create(terminal),
            CompareCommand.Create(terminal),
            CompareAlgorithmsCommand.Create(terminal),
            WhyCommand.Create(terminal),
            EvalCommand.Create(terminal),
            SampleCommand.Create(terminal),
            ReplayCommand.Create(terminal),
            ExportCommand.Create(terminal),
            RewardModelCommand.Create(terminal),
            ConfigCommand.Create(terminal),
            EstimateCommand.Create(terminal),
            DoctorCommand.Create(terminal),
            ParityCommand.Create(terminal),
            CertsCommand.Create(terminal),
            CompletionCommand.Create(terminal),
        };
        root.SetAction(_ => Welcome.Show(terminal));
        return root;
    }
}

/// <summary>Options that several commands have.</summary>
internal static class Options
{
    public static Option<string[]> Set()
    {
        var set = new Option<string[]>("--set") { Description = "one setting in HOCON, for example --set rollout.temperature=0.9; may be repeated" };
        set.CompletionSources.Add(_ => Completions.Settings.Select(key => new CompletionItem($"{key}=")));
        return set;
    }

    public static Option<string> RunsDir() => new("--runs-dir") { Description = $"folder of the run directories (default: {Runs.RunCatalog.DefaultFolder})", HelpName = "DIR" };

    public static Option<bool> AcceptUnsandboxed() => new("--i-accept-unsandboxed") { Description = "for tests only: where bubblewrap cannot be used, run what a model writes without walls, as this user" };

    /// <summary>That option as settings of every reward kind that runs programs.</summary>
    public static string[] Unsandboxed(bool accepted) => accepted ? [.. new[] { "code", "diffucoder-code", "espo-code" }.Select(kind => $"reward.kinds.{kind}.accept-unsandboxed = on")] : [];

    public static Option<bool> Json() => new("--json") { Description = "print JSON for programs instead of text for people" };

    public static Argument<string> Run() => OfRuns(new("NAME") { Description = "the run, for example quickstart" });

    public static Argument<string> RunAtStep() => OfRuns(new("NAME[@STEP]") { Description = "the run, and one of its saved steps; without, the last" });

    public static Argument<string[]> Configs() => new("CONF") { Description = "configuration files; later ones lie over earlier ones", Arity = ArgumentArity.OneOrMore };

    /// <summary>Names of the runs in the default folder, for shell completion.</summary>
    private static Argument<string> OfRuns(Argument<string> argument)
    {
        argument.CompletionSources.Add(_ => Completions.Runs.Select(name => new CompletionItem(name)));
        return argument;
    }
}
