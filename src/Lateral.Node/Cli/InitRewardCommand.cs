using System.CommandLine;
using System.Text.Json;

namespace Lateral.Node.Cli;

/// <summary><c>init reward</c>: a project with a reward of one's own to begin with, which builds and trains as it is.</summary>
internal static class InitRewardCommand
{
    public static Command Create(Terminal terminal)
    {
        var json = Options.Json();
        var folder = new Argument<string>("DIR") { Description = "the folder to make; its name becomes the project's", DefaultValueFactory = _ => "my-reward" };
        var reward = new Command("reward", Help.Line("write a project with a reward of your own to begin with", "init reward my-reward")) { folder, json };
        reward.SetAction(parsed =>
        {
            var project = Write(parsed.GetValue(folder)!);
            if (parsed.GetValue(json)) terminal.Out.WriteLine(JsonSerializer.Serialize(new { folder = project.Folder, project = project.ProjectFile, assembly = project.Assembly }));
            else foreach (var line in Next(project)) terminal.Out.WriteLine(line);
            return (int)ExitCode.Done;
        });
        return reward;
    }

    private static RewardProject Write(string folder)
    {
        if (File.Exists(folder)) throw new UserException(ExitCode.Usage, $"{folder} is a file; name a folder that does not exist yet");
        if (Directory.Exists(folder) && Directory.EnumerateFileSystemEntries(folder).Any()) throw new UserException(ExitCode.Usage, $"{folder} exists and is not overwritten; name another folder");
        var core = Path.Combine(AppContext.BaseDirectory, RewardProject.CoreFile);
        if (!File.Exists(core)) throw new UserException(ExitCode.Environment, $"{core} is not there, which a reward is built against; install the program as files instead of as one");
        var project = new RewardProject(Path.GetFullPath(folder), AppContext.BaseDirectory);
        EnvironmentProblem.Explain($"{folder} cannot be written", () =>
        {
            Directory.CreateDirectory(folder);
            foreach (var (name, text) in project.Files) File.WriteAllText(Path.Combine(project.Folder, name), text);
        });
        return project;
    }

    private static IEnumerable<string> Next(RewardProject project) =>
    [
        $"wrote {project.Folder}: {string.Join(", ", project.Files.Select(file => file.Name))}",
        $"  build it           dotnet build {project.Folder}",
        $"  something to train {Commands.Program} init quickstart.conf",
        $"  train with it      {Commands.Program} train quickstart.conf {Path.Combine(project.Folder, RewardProject.ConfigFile)}",
    ];
}
