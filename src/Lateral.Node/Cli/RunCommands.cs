using System.CommandLine;
using Lateral.Actors;
using Lateral.Actors.Settings;
using Lateral.Configuration;
using Lateral.Core.Runs;
using Lateral.Node.Composition;
using Lateral.Node.Runs;
using Lateral.Node.Sessions;

namespace Lateral.Node.Cli;

/// <summary><c>train</c>: a new run from configuration files.</summary>
internal static class TrainCommand
{
    public static Command Create(Terminal terminal)
    {
        var (files, sets, folder, json, unsandboxed) = (Options.Configs(), Options.Set(), Options.RunsDir(), Options.Json(), Options.AcceptUnsandboxed());
        var name = new Option<string>("--name") { Description = "the run's name (default: that of the first file)" };
        var seed = new Option<string>("--seed") { Description = "seed of every random draw" };
        var dry = new Option<bool>("--dry-run") { Description = "say what the run would do and write, and start nothing" };
        var train = new Command("train", Help.Line("start a new run", "train hocon/quickstart.conf --name first")) { files, sets, name, seed, folder, dry, unsandboxed, json };
        train.SetAction(async (parsed, cancellation) =>
        {
            string[] all =
            [
                .. parsed.GetValue(sets) ?? [], .. Options.Unsandboxed(parsed.GetValue(unsandboxed)), .. Given("run.name", parsed.GetValue(name)), .. Given("run.dir", parsed.GetValue(folder)),
                .. parsed.GetValue(seed) is { } value ? [$"run.seed = {value}"] : Array.Empty<string>(),
            ];
            var run = Of(parsed.GetValue(files)!, all);
            return parsed.GetValue(dry)
                ? await run.DescribeAsync(terminal, parsed.GetValue(json), cancellation)
                : await run.StartAsync(terminal, parsed.GetValue(json), cancellation);
        });
        return train;
    }

    /// <exception cref="UserException">the configuration is a fork's, or a file of rows cannot be read</exception>
    public static NewRun Of(string[] files, string[] sets)
    {
        var run = OfPinned(files, sets);
        return RunData.Pin(run.Settings) is { } pin ? OfPinned(files, [.. sets, pin]) : run;
    }

    /// <param name="sets">say which rows the run has, where this process reads any</param>
    /// <exception cref="UserException">the configuration is a fork's</exception>
    public static NewRun OfPinned(string[] files, string[] sets)
    {
        var reading = new ReadFiles();
        var loaded = RunSettingsLoader.Load(files, sets, reading.Options, ShippedPlugins.All);
        // What cannot be stored is told before anything is asked of the machine.
        _ = StoredConfig.Of(loaded.Resolved);
        if (loaded.Settings.ForkedFrom is { } parent)
            throw new UserException(ExitCode.Usage, $"run.forked-from = {parent}: only fork writes it - {Commands.Program} fork {parent} --name NEW");
        return new NewRun(loaded.Settings, () => RunDirectory.Create(loaded.Settings, new WrittenConfig(reading.Written(sets), loaded.Resolved)));
    }

    public static string[] Given(string key, string? value) => value is null ? [] : [RunSettingsLoader.Set(key, value)];
}

/// <summary><c>resume</c>: a run goes on where its journal ends.</summary>
internal static class ResumeCommand
{
    public static Command Create(Terminal terminal)
    {
        var (name, sets, folder, json, unsandboxed) = (Options.Run(), Options.Set(), Options.RunsDir(), Options.Json(), Options.AcceptUnsandboxed());
        var backup = new Option<bool>("--from-backup") { Description = "the journal in journal.dir is lost: go on from its copy in the run directory, without what came after it" };
        var resume = new Command("resume", Help.Line("go on with a run where its journal ends", "resume first")) { name, sets, backup, folder, unsandboxed, json };
        resume.SetAction(async (parsed, cancellation) =>
        {
            var catalog = RunsCommand.Catalog(parsed.GetValue(folder));
            var directory = catalog.Find(parsed.GetValue(name)!);
            var settings = ChangedSettings.Apply(catalog, directory, [.. parsed.GetValue(sets) ?? [], .. Options.Unsandboxed(parsed.GetValue(unsandboxed))]);
            if (parsed.GetValue(backup)) Restore(terminal, settings, directory);
            return await ResumeAsync(terminal, settings, directory, Launch.LocalNode(settings), parsed.GetValue(json), cancellation);
        });
        return resume;
    }

    private static void Restore(Terminal terminal, RunSettings settings, RunDirectory directory)
    {
        using var held = RunLock.Acquire(directory);
        terminal.Error.WriteLine(RunJournal.Restore(settings, step => RunRecorder.Forget(directory, step)));
    }

    /// <summary>Goes on with an existing run as the given node.</summary>
    public static async Task<int> ResumeAsync(Terminal terminal, RunSettings settings, RunDirectory directory, RunNode node, bool json, CancellationToken cancellation)
    {
        var task = TaskComposition.Of(settings);
        await using var rewards = task.Rewards;
        await RunComposition.RequireMachineAsync(settings, node.Roles, cancellation);
        foreach (var note in await rewards.PrepareAsync(node.Roles, cancellation)) terminal.Error.WriteLine($"note   {note}");
        await using var output = terminal.Output(json);
        return (int)await RunLauncher.LaunchAsync(new Launch(settings, directory, task, node), output);
    }
}

/// <summary>Remembers what the loader read, so that a run directory can keep it as it was written.</summary>
internal sealed class ReadFiles
{
    private readonly List<(string Path, string Text)> _read = [];

    public HoconOptions Options => new()
    {
        ReadFile = path =>
        {
            var text = SourceText.ReadFile(path);
            if (text is not null && !_read.Exists(file => file.Path == path)) _read.Add((path, text));
            return text;
        },
    };

    /// <summary>The files in the order in which they were read, included ones too, and the command line's settings.</summary>
    public string Written(IReadOnlyCollection<string> sets) => string.Concat(
        ["# What the user wrote. A resume reads config.resolved.json.\n", .. _read.Select(file => $"\n# --- {Path.GetFileName(file.Path)}\n{file.Text.TrimEnd()}\n"),
            .. sets.Count == 0 ? Array.Empty<string>() : ["\n# --- --set\n", .. sets.Select(set => set + "\n")]]);
}
