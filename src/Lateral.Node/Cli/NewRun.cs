using Lateral.Actors;
using Lateral.Core.Runs;
using Lateral.Node.Composition;
using Lateral.Node.Estimation;
using Lateral.Node.Runs;
using Lateral.Node.Sessions;

namespace Lateral.Node.Cli;

/// <summary>A run that does not exist yet, for whichever command wants it: everything that can be refused is refused before the first file is written.</summary>
/// <param name="Create">makes the run's directory</param>
/// <param name="Parent">folder of the checkpoint that a fork begins with; null for other runs</param>
internal sealed record NewRun(RunSettings Settings, Func<RunDirectory> Create, string? Parent = null)
{
    /// <param name="node">this process's part; null = the roles that the configuration makes local</param>
    public async Task<int> StartAsync(Terminal terminal, bool json, CancellationToken cancellation, RunNode? node = null)
    {
        node ??= Launch.LocalNode(Settings);
        // Whoever only helps finds the run directory there, or makes one once it is in.
        var owner = node.Roles.HasFlag(NodeRoles.Coordinator);
        var task = owner ? Check() : TaskComposition.Of(Settings);
        await using var rewards = task.Rewards;
        await RunComposition.RequireMachineAsync(Settings, node.Roles, cancellation);
        if (owner && RunData.Require(Settings, task.Task) is { } rows) terminal.Error.WriteLine($"data: {rows}");
        foreach (var note in await rewards.PrepareAsync(node.Roles, cancellation)) terminal.Error.WriteLine($"note   {note}");
        var directory = owner ? Create() : new RunDirectory(Path.GetFullPath(Settings.Directory));
        await using var output = terminal.Output(json);
        return (int)await RunLauncher.LaunchAsync(new Launch(Settings, directory, task, node, Create), output);
    }

    /// <summary>Everything that can be known without training; writes nothing.</summary>
    public async Task<int> DescribeAsync(Terminal terminal, bool json, CancellationToken cancellation)
    {
        var task = Check();
        _ = RunData.Require(Settings, task.Task);
        var plan = await DryRun.OfAsync(Settings, task, Parent, cancellation);
        foreach (var line in json ? [plan.ToJson()] : plan.Lines()) terminal.Out.WriteLine(line);
        return (int)ExitCode.Done;
    }

    private TaskComposition Check()
    {
        var task = TaskComposition.Of(Settings);
        RunDirectory.RequireNew(Settings);
        RunJournal.RequireNone(Settings);
        RunComposition.RequireModel(Settings, task);
        MemoryCheck.Require(Settings, task);
        return task;
    }
}
