using System.Diagnostics.Metrics;
using System.Text;
using Lateral.Rewards.Sandbox;

namespace Lateral.Rewards.Tests.Sandbox;

public sealed class ProgramTests(SandboxFixture fixture) : IClassFixture<SandboxFixture>
{
    [SandboxFact]
    public async Task Program_must_print_and_end() => Assert.Equal("42", await fixture.PrintedAsync("print(6 * 7)"));

    [SandboxFact]
    public async Task Program_must_get_its_input() =>
        Assert.Equal("cba", Encoding.UTF8.GetString(Assert.IsType<SandboxResult.Exited>(await fixture.Sandbox.RunAsync(new SandboxJob("import os; os.write(1, take(3)[::-1])", "abc"u8.ToArray()), default)).Output));

    [SandboxTheory]
    [InlineData("raise SystemExit(3)", 3)]
    [InlineData("1 / 0", 1)]
    [InlineData("def broken(:", 1)]
    [InlineData("import os; os._exit(0)", 0)]
    [InlineData("import os; os.abort()", 134)]
    [InlineData("import ctypes; ctypes.string_at(0)", 139)]
    [InlineData("import os, signal; os.kill(os.getpid(), signal.SIGTERM); import time; time.sleep(9)", 143)]
    public async Task Program_must_end_with_its_own_status(string program, int code) => Assert.Equal(code, Assert.IsType<SandboxResult.Exited>(await fixture.RunAsync(program)).Code);

    [SandboxFact]
    public async Task Slots_must_be_fresh_for_every_program()
    {
        for (var i = 0; i < 6; i++) Assert.Equal("[]", await fixture.PrintedAsync("import os; print(os.listdir('/tmp')); open('/tmp/left', 'w').write('x')"));
    }

    [SandboxFact]
    public async Task More_callers_than_slots_must_all_get_their_own_answer()
    {
        var answers = await Task.WhenAll(Enumerable.Range(0, 12).Select(i => fixture.PrintedAsync($"print({i} * {i})")));
        Assert.Equal(Enumerable.Range(0, 12).Select(i => $"{i * i}"), answers);
    }

    [SandboxFact]
    public async Task Every_program_must_leave_its_time_and_its_end_in_the_histogram()
    {
        var measured = new System.Collections.Concurrent.ConcurrentBag<(double Seconds, object? Result)>();
        using var listener = new MeterListener();
        listener.InstrumentPublished = (instrument, self) =>
        {
            if (instrument is { Meter.Name: "Lateral.Rewards", Name: "reward/sandbox/seconds" }) self.EnableMeasurementEvents(instrument);
        };
        listener.SetMeasurementEventCallback<double>((_, seconds, tags, _) => measured.Add((seconds, tags[0].Value)));
        listener.Start();
        await fixture.RunAsync("while True: pass");
        Assert.Contains(measured, one => one.Result is "Timeout" && one.Seconds >= SandboxFixture.Settings.TimeLimit.TotalSeconds);
    }

    [SandboxFact]
    public async Task Cancelled_program_must_be_dead_and_its_slot_free()
    {
        using var cancel = new CancellationTokenSource(TimeSpan.FromMilliseconds(300));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => fixture.Sandbox.RunAsync(new SandboxJob("while True: pass"), cancel.Token));
        Assert.Equal("1", await fixture.PrintedAsync("print(1)"));
        Assert.Equal("2", await fixture.PrintedAsync("print(2)"));
    }
}
