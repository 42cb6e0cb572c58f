using Lateral.Core.Runs;
using Lateral.Node.Composition;
using Lateral.Node.Display;
using Lateral.Node.Runs;

namespace Lateral.Node.Sessions;

/// <summary>Everything between a run directory and an exit code, in order.</summary>
internal static class RunLauncher
{
    public static async Task<ExitCode> LaunchAsync(RunSettings settings, RunDirectory directory, TaskComposition task, IRunOutput output)
    {
        using var held = RunLock.Acquire(directory);
        using var interruption = Interruption.OfProcess();
        var display = new RunDisplay(settings, task.Tokenizer, output, RunRecorder.ReadEvaluations(directory));
        await using var status = new StatusWriter(directory, display.Note, TimeProvider.System);
        try
        {
            display.Start();
            await using var composition = RunComposition.Of(settings, directory, task, display, TimeProvider.System);
            await using var host = await ActorRunHost.StartAsync(settings, composition.Engines);
            status.Follow(host.StatusAsync);
            var code = await new RunSession(settings, display, interruption).RunAsync(host);
            await status.EndAsync(EndOf(code));
            return code;
        }
        catch (Exception error)
        {
            // The trace is for whoever mends the program; the user gets the message and the way on.
            await WriteLogAsync(directory, error);
            var (code, message) = Failure.Describe(error);
            // An unexpected error's message carries its trace, which is in the log.
            await status.EndAsync(new RunEnd(RunEndKind.Failed, message.ReplaceLineEndings("\n").Split('\n')[0]));
            throw new UserException(code, $"{message}\nwhat was journaled is safe; go on with {Commands.Resume(settings)}\ndetails are in {directory.Logs}", error);
        }
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
            await File.AppendAllTextAsync(Path.Combine(directory.Logs, "errors.log"), $"{TimeProvider.System.GetUtcNow():O} {error}\n");
        }
        catch (IOException) when (EnvironmentProblem.IsDiskFull(error))
        {
            // The disk is full: that is the message, and there is no room for its trace.
        }
    }
}
