using System.CommandLine;
using Lateral.Node.Composition;
using Lateral.Node.Display;
using Lateral.Node.Runs;
using Lateral.Node.Sessions;

namespace Lateral.Node.Cli;

/// <summary><c>replay</c>: how one recorded rollout was denoised; needs no torch, because the record is complete.</summary>
internal static class ReplayCommand
{
    public static Command Create(Terminal terminal)
    {
        var (run, folder, json) = (Options.Run(), Options.RunsDir(), Options.Json());
        var rollout = new Argument<string>("ROLLOUT-ID") { Description = "group=5/rollout=2 as ids are printed, or 5/2" };
        var steps = new Option<bool>("--step-by-step") { Description = "print every denoising step as a line instead of playing them" };
        var replay = new Command("replay", Help.Line("show how a recorded rollout was denoised", "replay first 5/2 --step-by-step")) { run, rollout, steps, folder, json };
        replay.SetAction(async (parsed, _) =>
        {
            var catalog = RunsCommand.Catalog(parsed.GetValue(folder));
            var directory = catalog.Find(parsed.GetValue(run)!);
            var id = RecordedRollouts.ParseId(parsed.GetValue(rollout)!);
            var settings = catalog.Load(directory, []).Settings;
            var tokenizer = TaskComposition.Of(settings).Tokenizer;
            var pages = new RolloutPages(directory.Name, new RecordedRollouts(directory, settings, tokenizer).Find(id), tokenizer);
            if (parsed.GetValue(json)) terminal.Out.WriteLine(pages.ToJson());
            else await ShowAsync(terminal, pages, parsed.GetValue(steps));
            return (int)ExitCode.Done;
        });
        return replay;
    }

    private static async Task ShowAsync(Terminal terminal, RolloutPages pages, bool stepByStep)
    {
        var play = terminal.Live is not null && !stepByStep;
        foreach (var line in stepByStep ? pages.Summary().Concat(pages.Steps()) : play ? pages.Summary() : pages.Compact()) terminal.Out.WriteLine(line);
        if (!play) return;
        using var interruption = Interruption.OfProcess();
        await DenoisingAnimation.PlayAsync(terminal.Live!, [pages.View], interruption.Requested, TimeProvider.System);
    }
}
