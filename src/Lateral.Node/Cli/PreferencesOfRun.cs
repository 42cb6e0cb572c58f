using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using Lateral.Node.Composition;
using Lateral.Node.Display;
using Lateral.Node.Runs;

namespace Lateral.Node.Cli;

/// <summary><c>runs preferences NAME</c>: what a run's rewards prefer, as pairs for <c>reward-model train</c>, DPO or VRPO. Needs neither torch nor actors.</summary>
internal static class PreferencesOfRun
{
    public static Command Create(Terminal terminal, Option<string> folder, Option<bool> json)
    {
        var run = Options.Run();
        var to = new Option<string>("--to") { Description = "the file to write, a JSON object a line", HelpName = "FILE", Required = true };
        var margin = new Option<double>("--margin") { Description = "a pair's rewards differ by more than this", DefaultValueFactory = _ => 0 };
        var most = new Option<int>("--pairs-per-group") { Description = "the best against the worst, then the second best against the second worst, and so on, at most", DefaultValueFactory = _ => 1 };
        var force = new Option<bool>("--force") { Description = "replace the file if it is there" };
        var preferences = new Command("preferences", Help.Line("write the best and the worst rollout of every trained group as preference pairs", "runs preferences first --to pairs.jsonl")) { run, to, margin, most, force };
        preferences.SetAction(parsed =>
        {
            var (target, least, count) = (Path.GetFullPath(parsed.GetValue(to)!), parsed.GetValue(margin), parsed.GetValue(most));
            if (least < 0 || !double.IsFinite(least)) throw new UserException(ExitCode.Usage, string.Create(CultureInfo.InvariantCulture, $"--margin must be at least 0, got {least}"));
            if (count is < 1 or > 512) throw new UserException(ExitCode.Usage, $"--pairs-per-group must lie in 1 to 512, got {count}");
            if (Directory.Exists(target)) throw new UserException(ExitCode.Usage, $"--to {target}: a folder lies there; name a file");
            if (File.Exists(target) && !parsed.GetValue(force)) throw new UserException(ExitCode.Usage, $"--to {target}: the file is there already; name another one, or write --force to replace it");
            var catalog = RunsCommand.Catalog(parsed.GetValue(folder));
            var directory = catalog.Find(parsed.GetValue(run)!);
            var groups = PreferencePairs.Archived(directory).GroupBy(sibling => sibling.Group).ToList();
            if (groups.Count == 0) throw new UserException(ExitCode.Usage, $"run '{directory.Name}' has no trained rollouts in {directory.Rollouts}; train it for a step first");
            var pairs = groups.SelectMany(group => PreferencePairs.Of(group, least, count)).ToList();
            if (pairs.Count == 0)
                throw new UserException(ExitCode.Usage, string.Create(CultureInfo.InvariantCulture, $"run '{directory.Name}': in none of its {groups.Count} groups do two rollouts differ by more than {least} in reward; nothing was written - write a smaller --margin, or take another run"));
            // The archive has a prompt's tokens as text, from which a chat template's are gone; the task has it as it was asked.
            var prompts = TaskComposition.Of(catalog.Load(directory, []).Settings).Prompts;
            EnvironmentProblem.Explain($"{target} cannot be written", () =>
            {
                Directory.CreateDirectory(Path.GetDirectoryName(target)!);
                PreferencePairs.Write(target, pairs, group => prompts.Train(group).Text);
            });
            var with = pairs.Select(pair => pair.Chosen.Group).Distinct().Count();
            terminal.Out.WriteLine(parsed.GetValue(json)
                ? JsonSerializer.Serialize(new { File = target, Pairs = pairs.Count, Groups = groups.Count, GroupsWithPairs = with }, JsonSerializerOptions.Web)
                : $"{Words.Many(pairs.Count, "pair")} of {with} of {groups.Count} groups are in {target}\n  learn from them  {Commands.Program} reward-model train --data {target} --out models/reward");
            return (int)ExitCode.Done;
        });
        return preferences;
    }
}
