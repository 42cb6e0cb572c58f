using System.CommandLine;
using System.Text.Json;
using Lateral.Node.Display;
using Lateral.Node.Runs;

namespace Lateral.Node.Cli;

/// <summary><c>runs</c>, <c>runs show NAME</c>, <c>runs verify NAME</c>: looking at runs needs no torch and no actors; <c>runs replay</c> does.</summary>
internal static class RunsCommand
{
    public static Command Create(Terminal terminal)
    {
        var (folder, json) = (Options.RunsDir(), Options.Json());
        folder.Recursive = json.Recursive = true;
        var runs = new Command("runs", Help.Line("list the runs, or look at one", "runs")) { folder, json };
        runs.SetAction(parsed => List(terminal, Catalog(parsed.GetValue(folder)), parsed.GetValue(json)));

        var shown = Options.Run();
        var show = new Command("show", Help.Line("where a run stands", "runs show first")) { shown };
        show.SetAction(parsed => Show(terminal, Catalog(parsed.GetValue(folder)), parsed.GetValue(shown)!, parsed.GetValue(json)));

        var verified = Options.Run();
        var verify = new Command("verify", Help.Line("prove from the journal that nothing was lost or trained on twice", "runs verify first")) { verified };
        verify.SetAction(parsed => VerifyRun.Run(terminal, Catalog(parsed.GetValue(folder)), parsed.GetValue(verified)!, parsed.GetValue(json)));
        runs.Add(show);
        runs.Add(verify);
        runs.Add(ReplayRun.Create(terminal, folder, json));
        runs.Add(SparsityOfRun.Create(terminal, folder, json));
        runs.Add(PreferencesOfRun.Create(terminal, folder, json));
        return runs;
    }

    public static RunCatalog Catalog(string? folder) => new(folder ?? RunCatalog.DefaultFolder);

    private static int List(Terminal terminal, RunCatalog catalog, bool json)
    {
        var entries = catalog.All().Select(catalog.Describe).ToList();
        if (json)
        {
            foreach (var entry in entries) terminal.Out.WriteLine(JsonSerializer.Serialize(entry, JsonSerializerOptions.Web));
            return (int)ExitCode.Done;
        }

        if (entries.Count == 0) terminal.Out.WriteLine($"no runs yet; start one with {Commands.Program} train hocon/quickstart.conf");
        else WriteTable(terminal.Out, entries);
        return (int)ExitCode.Done;
    }

    private static int Show(Terminal terminal, RunCatalog catalog, string name, bool json)
    {
        var run = catalog.Find(name);
        if (json)
        {
            terminal.Out.WriteLine(JsonSerializer.Serialize(catalog.Describe(run), JsonSerializerOptions.Web));
            return (int)ExitCode.Done;
        }

        var settings = catalog.Load(run, []).Settings;
        var metrics = JsonLinesFile.Read(run.Metrics).ToList();
        var rewards = metrics.Select(line => line.TryGetProperty("reward/mean", out var value) && value.ValueKind == JsonValueKind.Number ? value.GetDouble() : 0).ToList();
        terminal.Out.WriteLine(StatusPage.Render(settings, metrics.Count > 0 ? metrics[^1] : null, [.. JsonLinesFile.Read(run.Evaluations)]).TrimEnd());
        if (rewards.Count > 1) terminal.Out.WriteLine($"\nreward over {rewards.Count} steps  {Words.Sparkline(rewards, 60)}  {Words.Fixed(rewards[0])} -> {Words.Fixed(rewards[^1])}");
        terminal.Out.WriteLine($"\nfiles in {run.Root}");
        return (int)ExitCode.Done;
    }

    private static void WriteTable(TextWriter to, List<RunEntry> entries)
    {
        string[][] rows =
        [
            ["run", "task", "step", "state", "reward", "pass@1"],
            .. entries.Select(e => new[]
            {
                e.Name, e.Task, $"{e.Step}/{e.Steps}", e.State, e.Reward is { } reward ? Words.Fixed(reward, 3) : "-", e.PassAt1 is { } pass ? Words.Fixed(pass, 3) : "-",
            }),
        ];
        var widths = Enumerable.Range(0, rows[0].Length).Select(column => rows.Max(row => row[column].Length)).ToArray();
        foreach (var row in rows) to.WriteLine(string.Join("  ", row.Select((cell, column) => cell.PadRight(widths[column]))).TrimEnd());
    }
}
