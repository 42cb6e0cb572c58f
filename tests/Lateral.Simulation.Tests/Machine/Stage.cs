using Akka.Dispatch;

namespace Lateral.Simulation.Tests.Machine;

/// <summary>
/// The one thread on which everything happens: what is ready to run, and what is due at which virtual time. Which of the
/// ready mailboxes runs next is the dice's choice, so a seed is a schedule.
/// </summary>
internal sealed class Stage
{
    private readonly PriorityQueue<Action, (long At, long Order)> _due = new();
    private readonly List<IRunnable> _ready = [];
    private readonly int _thread = Environment.CurrentManagedThreadId;
    private long _order;

    /// <summary>Virtual time in ticks.</summary>
    public long Now { get; private set; } = TimeSpan.TicksPerSecond;

    public TimeSpan Elapsed => TimeSpan.FromTicks(Now - TimeSpan.TicksPerSecond);

    public Dice Dice { get; set; } = new(0);

    public Trace Trace { get; } = new();

    public long Steps { get; private set; }

    /// <summary>Where work left the simulation's thread, as a stack; null while the run is its seed's alone.</summary>
    public string? Escape { get; private set; }

    /// <summary>A mailbox has something to do.</summary>
    /// <exception cref="InvalidOperationException">on another thread: the run is not this seed's any more</exception>
    public void Ready(IRunnable run)
    {
        RequireThread();
        _ready.Add(run);
    }

    public void At(TimeSpan delay, Action action)
    {
        RequireThread();
        _due.Enqueue(action, (Now + Math.Max(0, delay.Ticks), _order++));
    }

    /// <summary>Runs one mailbox, or lets time go on to what is due next.</summary>
    /// <returns>whether there was anything left to do</returns>
    public bool Step()
    {
        Steps++;
        // Now and then time goes on although somebody could run: a slow actor.
        if (_ready.Count > 0 && (_due.Count == 0 || !Dice.Chance(.01)))
        {
            var chosen = Dice.Below(_ready.Count);
            Trace.Mix(chosen, _ready.Count);
            var run = _ready[chosen];
            _ready[chosen] = _ready[^1];
            _ready.RemoveAt(_ready.Count - 1);
            run.Run();
            return true;
        }

        if (!_due.TryDequeue(out var action, out var when)) return false;
        Now = Math.Max(Now, when.At);
        Trace.Mix(Now, when.Order);
        action();
        return true;
    }

    private void RequireThread()
    {
        if (Environment.CurrentManagedThreadId == _thread) return;
        Escape = Environment.StackTrace;
        throw new InvalidOperationException("work escaped the simulation's thread");
    }
}
