using System.Text.Json;
using Lateral.Core.Runs;
using Lateral.Node.Runs;
using Lateral.Node.Sessions;

namespace Lateral.Node.Tests;

/// <summary><c>why</c> on run directories as processes leave them.</summary>
public sealed class WhyCommandTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Why_must_print_the_chain_the_culprit_and_the_setting_of_a_live_run()
    {
        var run = Fixtures.NewRun(_folder);
        using var held = RunLock.Acquire(run);
        Write(run, null, SlowReward());
        var (code, text, _) = await Why("quickstart");
        Assert.Equal(0, code);
        Assert.Equal(
            """
            run quickstart works, and waits for its slowest part
                 learner: waiting 41 s for batch 2 (11 of 32 groups)
              <- reward pool answer: 5 in flight, oldest 38 s, 4 workers
              -> raise reward.pools.answer.workers (4 now)
              or cut slow calls off sooner with reward.pools.answer.timeout (60 s now)
            """,
            text.TrimEnd().ReplaceLineEndings("\n"));
    }

    [Fact]
    public async Task Json_must_hold_the_chain_the_advice_and_the_whole_status()
    {
        var run = Fixtures.NewRun(_folder);
        using var held = RunLock.Acquire(run);
        Write(run, null, SlowReward());
        var (_, text, _) = await Why("quickstart", "--json");
        var answer = JsonElement.Parse(text);
        var diagnosis = answer.GetProperty("diagnosis");
        Assert.Equal(("quickstart", "bottleneck", "reward pool answer"), (
            answer.GetProperty("run").GetString(), diagnosis.GetProperty("verdict").GetString(), diagnosis.GetProperty("culprit").GetProperty("part").GetString()));
        Assert.Equal("reward.pools.answer.workers", diagnosis.GetProperty("advice")[0].GetProperty("setting").GetString());
        Assert.Equal(2, diagnosis.GetProperty("chain").GetArrayLength());
        Assert.Equal(38, answer.GetProperty("status").GetProperty("parts")[1].GetProperty("figures").GetProperty("oldest-seconds").GetDouble());
    }

    [Fact]
    public async Task Status_must_come_back_from_its_file_as_it_was_written()
    {
        var run = Fixtures.NewRun(_folder);
        var status = SlowReward() with { Failed = new RunFailure("boom", true) };
        var fault = status.Parts[1].With(Figures.StalledSeconds, double.PositiveInfinity) with { Fault = new PartFault("no answer", 3, 1.5) };
        status = status with { Parts = status.Parts.SetItem(1, fault) };
        Write(run, new RunEnd(RunEndKind.Failed, "boom"), status);
        var read = StatusFile.Read(run)!;
        Assert.Equal(new RunEnd(RunEndKind.Failed, "boom"), read.End);
        Assert.Equal((status.Ledger, status.Failed), (read.Status!.Ledger, read.Status.Failed));
        var none = status.Parts[0].Figures;
        Assert.Equal(status.Parts.Select(part => part with { Figures = none }), read.Status.Parts.Select(part => part with { Figures = none }));
        Assert.Equal(status.Parts.SelectMany(part => part.Figures), read.Status.Parts.SelectMany(part => part.Figures));
        Assert.Empty(Directory.GetFiles(run.Root, "*.tmp"));
        await Task.CompletedTask;
    }

    [Fact]
    public async Task Killed_run_must_be_told_from_one_that_ended_by_failure_or_was_never_started()
    {
        var run = Fixtures.NewRun(_folder);
        Assert.Contains("run: ended before its first step", (await Why("quickstart")).Out, StringComparison.Ordinal);
        Write(run, null, SlowReward());
        Assert.Contains("is gone without a word", (await Why("quickstart")).Out, StringComparison.Ordinal);
        Write(run, new RunEnd(RunEndKind.Failed, "learner failed 5 times without progress: boom"), SlowReward());
        var failed = (await Why("quickstart")).Out;
        Assert.StartsWith("nobody works on run quickstart", failed, StringComparison.Ordinal);
        Assert.Contains("<- failure: learner failed 5 times without progress: boom", failed, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Unreadable_status_must_be_as_good_as_none()
    {
        var run = Fixtures.NewRun(_folder);
        File.WriteAllText(run.LiveStatus, "{ \"written\": 7 ");
        var (code, text, _) = await Why("quickstart");
        Assert.Equal(0, code);
        Assert.StartsWith("nobody works on run quickstart", text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Without_a_name_the_one_running_run_must_be_taken_and_otherwise_the_runs_be_named()
    {
        var (code, _, error) = await Why();
        Assert.Equal(2, code);
        Assert.Contains("there are no runs", error, StringComparison.Ordinal);

        var first = Fixtures.NewRun(_folder);
        (code, _, error) = await Why();
        Assert.Equal(2, code);
        Assert.Contains("no run is running; name one of quickstart", error, StringComparison.Ordinal);

        using var held = RunLock.Acquire(first);
        Write(first, null, SlowReward());
        Assert.Contains("run quickstart works", (await Why()).Out, StringComparison.Ordinal);

        var second = Fixtures.NewRun(_folder, "run.name = other");
        using var alsoHeld = RunLock.Acquire(second);
        (code, _, error) = await Why();
        Assert.Equal(2, code);
        Assert.Contains("several runs are running: other, quickstart", error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Misspelt_name_must_be_answered_with_the_nearest()
    {
        Fixtures.NewRun(_folder);
        var (code, _, error) = await Why("quikstart");
        Assert.Equal(2, code);
        Assert.Contains("did you mean quickstart?", error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Status_that_cannot_be_written_must_be_said_once_and_hurt_nothing()
    {
        var run = Fixtures.NewRun(_folder);
        Directory.CreateDirectory(run.LiveStatus);
        var notes = new List<string>();
        await using (var writer = new StatusWriter(run, notes.Add, TimeProvider.System))
        {
            var asked = 0;
            var twice = new TaskCompletionSource();
            writer.Follow(() =>
            {
                if (++asked == 2) twice.TrySetResult();
                return Task.FromResult(SlowReward());
            });
            await twice.Task.WaitAsync(TimeSpan.FromSeconds(20));
            await writer.EndAsync(new RunEnd(RunEndKind.Finished));
        }

        Assert.Contains("status.json cannot be written", Assert.Single(notes), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Status_of_actors_that_do_not_answer_must_grow_old_until_they_do()
    {
        var run = Fixtures.NewRun(_folder);
        var answered = new TaskCompletionSource<RunStatus>();
        await using var writer = new StatusWriter(run, Assert.Fail, TimeProvider.System);
        var begun = StatusFile.Read(run)!;
        Assert.Equal((Environment.ProcessId, null, null), (begun.Process, begun.End, begun.Status));
        var asked = 0;
        writer.Follow(() => Interlocked.Increment(ref asked) < 3 ? throw new TimeoutException() : answered.Task);
        while (Volatile.Read(ref asked) < 3) await Task.Delay(20);
        Assert.Equal(begun.Written, StatusFile.Read(run)!.Written);
        answered.SetResult(SlowReward());
        while (StatusFile.Read(run)!.Status is null) await Task.Delay(20);
        await writer.EndAsync(new RunEnd(RunEndKind.Interrupted));
        Assert.Equal((RunEndKind.Interrupted, 1), (StatusFile.Read(run)!.End!.Kind, StatusFile.Read(run)!.Status!.Ledger.Version));
    }

    private static RunStatus SlowReward() => new(
        new LedgerStatus(1, 240, false, null, false, 96, 32, 0, 53, 11, 11, 0, 1, 32, 2), null,
        [
            new(Parts.Learner, Phase.Waiting, Waits: new WaitsFor(Parts.Ledger, "batch 2")) { Seconds = 41 },
            new PartStatus(Parts.RewardPool("answer"), Phase.Scoring).With(Figures.InFlight, 5).With(Figures.OldestSeconds, 38).With(Figures.Workers, 4).With(Figures.TimeoutSeconds, 60),
        ]);

    private static void Write(RunDirectory run, RunEnd? end, RunStatus status) =>
        new StatusFile(DateTimeOffset.UtcNow, Environment.ProcessId, Environment.MachineName, end, status).Write(run);

    private Task<(int Code, string Out, string Error)> Why(params string[] arguments) => Shell.RunAsync(["why", .. arguments, "--runs-dir", _folder.Path]);
}
