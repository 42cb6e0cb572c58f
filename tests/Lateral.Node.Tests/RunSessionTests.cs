using Lateral.Core.Runs;
using Lateral.Node.Display;
using Lateral.Node.Sessions;

namespace Lateral.Node.Tests;

public sealed class RunSessionTests
{
    private static readonly RunSettings Settings = Fixtures.Load("runs").Settings;

    [Fact]
    public async Task Finished_run_must_end_with_its_summary_and_zero()
    {
        var host = new Host();
        var (session, writer, _) = Start(host);
        host.Done.SetResult();
        Assert.Equal(ExitCode.Done, await session);
        Assert.Contains("run quickstart finished", writer.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task First_interruption_must_drain_save_and_tell_how_to_go_on()
    {
        var host = new Host();
        var (session, writer, interruption) = Start(host);
        interruption.Signal();
        await host.StopAsked.Task.WaitAsync(TimeSpan.FromSeconds(10));
        Assert.False(session.IsCompleted);
        host.Stopped.SetResult(17);
        Assert.Equal(ExitCode.Interrupted, await session);
        Assert.Contains("stopped and saved at step 17/240", writer.ToString(), StringComparison.Ordinal);
        Assert.Contains("resume quickstart", writer.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Second_interruption_must_not_wait_for_the_drain()
    {
        var host = new Host();
        var (session, writer, interruption) = Start(host);
        interruption.Signal();
        await host.StopAsked.Task.WaitAsync(TimeSpan.FromSeconds(10));
        interruption.Signal();
        Assert.Equal(ExitCode.Resumable, await session.WaitAsync(TimeSpan.FromSeconds(10)));
        Assert.Contains("stopped at once", writer.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Failure_of_the_run_must_be_thrown_and_be_resumable()
    {
        var host = new Host();
        var (session, _, _) = Start(host);
        host.Done.SetException(new Actors.RunFailedException("learner failed 5 times without progress: boom"));
        var error = await Assert.ThrowsAsync<Actors.RunFailedException>(() => session);
        Assert.Equal((ExitCode.Resumable, "learner failed 5 times without progress: boom"), Failure.Describe(error));
    }

    [Fact]
    public async Task Silent_ledger_must_not_end_the_session()
    {
        var host = new Host { Silent = true };
        var (session, _, _) = Start(host);
        await host.Asked.Task.WaitAsync(TimeSpan.FromSeconds(10));
        host.Done.SetResult();
        Assert.Equal(ExitCode.Done, await session);
    }

    private static (Task<ExitCode> Session, StringWriter Writer, Interruption Interruption) Start(Host host)
    {
        var (writer, interruption) = (new StringWriter(), new Interruption());
        var display = new RunDisplay(Settings, Fixtures.Digits, new LineOutput(writer));
        return (new RunSession(Settings, display, interruption).RunAsync(host), writer, interruption);
    }

    private sealed class Host : IRunHost
    {
        public TaskCompletionSource Done { get; } = new();

        public TaskCompletionSource StopAsked { get; } = new();

        public TaskCompletionSource Asked { get; } = new();

        public TaskCompletionSource<int?> Stopped { get; } = new();

        public bool Silent { get; init; }

        public Task Completion => Done.Task;

        public Task<RunStatus> StatusAsync()
        {
            Asked.TrySetResult();
            return Silent ? throw new TimeoutException() : Task.FromResult(new RunStatus(LedgerStatus.Of(new RunLedger(Settings.Ledger)), null, []));
        }

        public Task<int?> StopAsync()
        {
            StopAsked.SetResult();
            return Stopped.Task;
        }

        public ValueTask DisposeAsync() => ValueTask.CompletedTask;
    }
}
