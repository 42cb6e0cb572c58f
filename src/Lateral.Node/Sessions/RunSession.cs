using Lateral.Core.Runs;
using Lateral.Node.Display;

namespace Lateral.Node.Sessions;

/// <summary>A started run, as a session sees it.</summary>
public interface IRunHost : IAsyncDisposable
{
    /// <summary>Ends when the run's last step is saved; faults when a part of it failed for good.</summary>
    Task Completion { get; }

    /// <exception cref="TimeoutException">the ledger does not answer: it is recovering</exception>
    Task<RunStatus> StatusAsync();

    /// <summary>Commits the running step, writes a checkpoint and stops; on a node without the ledger, leaves the run.</summary>
    /// <returns>the step that was saved; null = the run goes on without this node</returns>
    Task<int?> StopAsync();
}

/// <summary>Watches a run until it is done, failed or interrupted, and shows it meanwhile.</summary>
internal sealed class RunSession(RunSettings settings, RunDisplay display, Interruption interruption)
{
    private static readonly TimeSpan Poll = TimeSpan.FromMilliseconds(300);

    private int? _told;

    /// <returns>the exit code; a failure of the run itself is thrown</returns>
    public async Task<ExitCode> RunAsync(IRunHost host)
    {
        while (!host.Completion.IsCompleted && !interruption.Requested.IsCompleted)
        {
            await Task.WhenAny(host.Completion, interruption.Requested, Task.Delay(Poll));
            await ShowStatusAsync(host);
        }

        if (!host.Completion.IsCompleted) return await StopAsync(host);
        await host.Completion;
        display.Finish();
        return ExitCode.Done;
    }

    private async Task<ExitCode> StopAsync(IRunHost host)
    {
        display.Note("stopping: finishing the running step and saving it (Ctrl-C again stops at once)");
        var stopping = host.StopAsync();
        if (await Task.WhenAny(stopping, interruption.Insisted) != stopping)
        {
            display.Note($"stopped at once; what was journaled is safe. Go on with {Commands.Resume(settings)}");
            return ExitCode.Resumable;
        }

        foreach (var line in await stopping is { } step ? RunSummary.Interrupted(settings, step) : ["left the run, which goes on without this node"]) display.Note(line);
        return ExitCode.Interrupted;
    }

    private async Task ShowStatusAsync(IRunHost host)
    {
        try
        {
            var status = await host.StatusAsync();
            // What was said before this node joined was said by others.
            _told ??= display.OwnsRun ? 0 : status.Notices.Length;
            foreach (var notice in status.Notices.Skip(_told.Value)) display.Note(notice);
            _told = status.Notices.Length;
            display.Status(status);
        }
        catch (TimeoutException)
        {
            // The ledger is recovering: the host owns the deadline after which that is a failure.
        }
    }
}
