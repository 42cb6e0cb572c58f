using System.CommandLine;
using System.Text.Json;
using Lateral.Core.Runs;
using Lateral.Node.Runs;

namespace Lateral.Node.Cli;

/// <summary>
/// <c>why</c>: the chain of waits from the idle end of a run to the culprit, and the setting to change. It reads what the
/// run's process wrote and asks the operating system; it needs no torch, no actors and not the process's help.
/// </summary>
internal static class WhyCommand
{
    private static readonly JsonSerializerOptions OneLine = new(StatusFile.Json) { WriteIndented = false };

    public static Command Create(Terminal terminal)
    {
        var (folder, json) = (Options.RunsDir(), Options.Json());
        var name = new Argument<string?>("NAME") { Description = "the run; without, the one that is running", Arity = ArgumentArity.ZeroOrOne };
        var why = new Command("why", Help.Line("say why nothing is happening, and what to change", "why first")) { name, folder, json };
        why.SetAction(parsed =>
        {
            var catalog = RunsCommand.Catalog(parsed.GetValue(folder));
            var run = parsed.GetValue(name) is { } given ? catalog.Find(given) : TheRunningOne(catalog);
            var last = StatusFile.Read(run);
            var diagnosis = RunDiagnosis.Of(last?.Status, RunObservation.Of(run, last, TimeProvider.System));
            if (parsed.GetValue(json)) terminal.Out.WriteLine(JsonSerializer.Serialize(new Answer(run.Name, diagnosis, last?.Written, last?.Status), OneLine));
            else Print(terminal.Out, run, diagnosis);
            return (int)ExitCode.Done;
        });
        return why;
    }

    private static RunDirectory TheRunningOne(RunCatalog catalog)
    {
        var running = catalog.All().Where(RunLock.IsHeld).ToList();
        if (running is [var only]) return only;
        var names = (running.Count > 0 ? running : catalog.All()).Select(run => run.Name).ToList();
        throw new UserException(ExitCode.Usage, (running.Count, names.Count) switch
        {
            ( > 1, _) => $"several runs are running: {string.Join(", ", names)}; name one, for example {Commands.Program} why {names[0]}",
            (_, > 0) => $"no run is running; name one of {string.Join(", ", names)}, for example {Commands.Program} why {names[0]}",
            _ => $"there are no runs; start one with {Commands.Program} train hocon/quickstart.conf, or name their folder with --runs-dir",
        });
    }

    private static void Print(TextWriter to, RunDirectory run, Diagnosis diagnosis)
    {
        to.WriteLine(diagnosis.Verdict switch
        {
            Verdict.Working => $"run {run.Name} works",
            Verdict.Bottleneck => $"run {run.Name} works, and waits for its slowest part",
            Verdict.Stuck => $"run {run.Name} is stuck",
            _ => $"nobody works on run {run.Name}",
        });
        foreach (var (link, index) in diagnosis.Chain.Select((link, index) => (link, index))) to.WriteLine($"{(index == 0 ? "   " : "<- ").PadLeft(5)}{link}");
        foreach (var (advice, index) in diagnosis.Advice.Select((advice, index) => (advice, index))) to.WriteLine($"{(index == 0 ? "-> " : "or ").PadLeft(5)}{advice.Text}");
    }

    private sealed record Answer(string Run, Diagnosis Diagnosis, DateTimeOffset? Written, RunStatus? Status);
}
