namespace Lateral.Simulation.Tests.Machine;

/// <summary>The stage's virtual time for whatever takes a <see cref="TimeProvider"/>; its timers fire on the stage.</summary>
internal sealed class StageTime(Stage stage) : TimeProvider
{
    public override long TimestampFrequency => TimeSpan.TicksPerSecond;

    public override long GetTimestamp() => stage.Now;

    public override DateTimeOffset GetUtcNow() => DateTimeOffset.UnixEpoch + stage.Elapsed;

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        var timer = new Timer(stage, () => callback(state));
        timer.Change(dueTime, period);
        return timer;
    }

    private sealed class Timer(Stage stage, Action callback) : ITimer
    {
        private int _setting;

        public bool Change(TimeSpan dueTime, TimeSpan period)
        {
            var setting = ++_setting;
            if (dueTime != Timeout.InfiniteTimeSpan) Arm(dueTime, period, setting);
            return true;
        }

        public void Dispose() => _setting++;

        public ValueTask DisposeAsync()
        {
            Dispose();
            return ValueTask.CompletedTask;
        }

        private void Arm(TimeSpan dueTime, TimeSpan period, int setting) => stage.At(dueTime, () =>
        {
            if (setting != _setting) return;
            callback();
            if (period > TimeSpan.Zero) Arm(period, period, setting);
        });
    }
}
