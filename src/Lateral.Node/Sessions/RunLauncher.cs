using Lateral.Actors;
using Lateral.Core.Learning;
using Lateral.Core.Runs;
using Lateral.Core.Security;
using Lateral.Node.Composition;
using Lateral.Node.Display;
using Lateral.Node.Gradients;
using Lateral.Node.PolicySync;
using Lateral.Node.Runs;

namespace Lateral.Node.Sessions;

/// <summary>One process's part in a run.</summary>
/// <param name="Create">makes the run directory of a learner's node that shares no disk with the coordinator; null = it is there</param>
internal sealed record Launch(RunSettings Settings, RunDirectory Directory, TaskComposition Task, RunNode Node, Func<RunDirectory>? Create = null)
{
    /// <summary>Whether this process owns the ledger, and with it the run directory's lock and the run's status.</summary>
    public bool OwnsRun => Node.Roles.HasFlag(NodeRoles.Coordinator);

    /// <summary>The roles that the configuration gives to <c>train</c> and <c>resume</c>.</summary>
    public static RunNode LocalNode(RunSettings settings) =>
        new(NodeRolesNames.Parse(settings.Topology.Roles.Where(role => role.Value.Local).Select(role => role.Key)), []);
}

/// <summary>Everything between a run directory and an exit code, in order.</summary>
internal static class RunLauncher
{
    public static async Task<ExitCode> LaunchAsync(Launch launch, IRunOutput output)
    {
        var (settings, directory) = (launch.Settings, launch.Directory);
        using var held = launch.OwnsRun ? RunLock.Acquire(directory) : null;
        using var interruption = Interruption.OfProcess();
        var display = new RunDisplay(settings, launch.Task.Tokenizer, output, RunRecorder.ReadEvaluations(directory)) { OwnsRun = launch.OwnsRun };
        await using var status = launch.OwnsRun ? new StatusWriter(directory, display.Note, TimeProvider.System) : null;
        try
        {
            if (launch.OwnsRun) display.Start();
            else display.Note($"{string.Join(" and ", NodeRolesNames.Of(launch.Node.Roles))} of run {settings.Name}");
            var code = await WorkAsync(launch, display, status, interruption);
            if (status is not null) await status.EndAsync(EndOf(code));
            return code;
        }
        catch (Exception error)
        {
            // The trace is for whoever mends the program; the user gets the message and the way on.
            await WriteLogAsync(directory, error);
            var (code, message) = Failure.Describe(error);
            // An unexpected error's message carries its trace, which is in the log.
            if (status is not null) await status.EndAsync(new RunEnd(RunEndKind.Failed, message.ReplaceLineEndings("\n").Split('\n')[0]));
            var next = launch.OwnsRun ? $"go on with {Commands.Resume(settings)}" : "start this node again with the same command";
            throw new UserException(code, $"{message}\nwhat was journaled is safe; {next}\ndetails are in {directory.Logs}", error);
        }
    }

    private static async Task<ExitCode> WorkAsync(Launch launch, RunDisplay display, StatusWriter? status, Interruption interruption)
    {
        var settings = launch.Settings;
        using var waiting = new CancellationTokenSource();
        _ = interruption.Requested.ContinueWith(_ => waiting.Cancel(), CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
        ClusterNode cluster;
        try
        {
            cluster = await ClusterNode.JoinAsync(settings, launch.Node, display.Note, waiting.Token);
        }
        catch (OperationCanceledException) when (interruption.Requested.IsCompleted)
        {
            display.Note("stopped before the run was joined");
            return ExitCode.Interrupted;
        }

        await using var left = cluster;
        var learner = launch.Node.Roles.HasFlag(NodeRoles.Learner);
        if (learner && !launch.Directory.Exists) launch.Create?.Invoke();
        using var identity = settings.Tls is { } tls ? NodeIdentity.Load(tls) : null;
        var gradients = new SharedGradients(settings.Topology.Ranks, settings.Topology.ShardDeadline, TimeProvider.System);
        await using var server = learner ? await PolicyTransport.ServeAsync(settings, launch.Directory, identity, GradientTransport.Take(settings, gradients), CancellationToken.None) : null;
        await using var composition = RunComposition.Of(settings, launch.Directory, launch.Task, display, launch.Node.Roles, gradients, TimeProvider.System);
        var engines = composition.Engines with
        {
            PolicySource = PolicyTransport.SourceOf(settings, server),
            RemoteGradients = source => GradientTransport.Send(settings, source, identity),
            RemotePolicies = learner ? null : source => PolicyTransport.Cache(settings, source, identity),
        };
        await using var host = await ActorRunHost.StartAsync(cluster, settings, engines);
        status?.Follow(host.StatusAsync);
        return await new RunSession(settings, display, interruption).RunAsync(host);
    }

    private static RunEnd EndOf(ExitCode code) => new(code switch
    {
        ExitCode.Done => RunEndKind.Finished,
        ExitCode.Interrupted => RunEndKind.Interrupted,
        _ => RunEndKind.Abandoned,
    });

    private static async Task WriteLogAsync(RunDirectory directory, Exception error)
    {
        try
        {
            Directory.CreateDirectory(directory.Logs);
            await File.AppendAllTextAsync(Path.Combine(directory.Logs, "errors.log"), $"{TimeProvider.System.GetUtcNow():O} {error}\n");
        }
        catch (IOException) when (EnvironmentProblem.IsDiskFull(error))
        {
            // The disk is full: that is the message, and there is no room for its trace.
        }
    }
}
