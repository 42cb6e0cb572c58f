using Akka.Actor;
using Lateral.Actors.Runs;
using Lateral.Core.Runs;

namespace Lateral.Actors.Sampling;

/// <summary>
/// Keeps one device's sampler or learner rank running: whatever ends it, another is started after a pause that doubles. A device that fails
/// <see cref="MaxFailures"/> times within <see cref="Window"/> is given up and told about; the run goes on with the others. What
/// it held waits again as soon as the dispatcher sees it gone.
/// </summary>
/// <remarks>I10 bounded: no device is tried for ever.</remarks>
internal sealed class DeviceKeeper : ReceiveActor, IWithTimers
{
    public const int MaxFailures = 5;
    public static readonly TimeSpan Window = TimeSpan.FromMinutes(10);
    private static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(200);
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(10);

    private readonly Queue<long> _failures = new();

    /// <param name="part">a name from <see cref="Parts"/></param>
    /// <param name="engine">tells the monitor itself why it ends</param>
    public DeviceKeeper(string part, Props engine, IActorRef monitor, TimeProvider time)
    {
        Receive<Terminated>(_ =>
        {
            _failures.Enqueue(time.GetTimestamp());
            while (time.GetElapsedTime(_failures.Peek()) > Window) _failures.Dequeue();
            if (_failures.Count < MaxFailures)
            {
                var pause = FirstPause * Math.Pow(2, _failures.Count - 1);
                Timers.StartSingleTimer(nameof(Tick), Tick.Instance, pause < LongestPause ? pause : LongestPause);
                return;
            }

            monitor.Tell(new RunProtocol.PartGivenUp(part, _failures.Count, Window.TotalMinutes));
            Context.Stop(Self);
        });
        Receive<Tick>(_ => Start());
        ReceiveAny(message => Context.Child("engine").Forward(message));

        void Start() => Context.Watch(Context.ActorOf(engine, "engine"));
        Self.Tell(Tick.Instance);
    }

    public ITimerScheduler Timers { get; set; } = null!;

    /// <summary>An actor that throws is ended like one that stops: starting it again is this one's decision.</summary>
    protected override SupervisorStrategy SupervisorStrategy() => new OneForOneStrategy(_ => Directive.Stop);
}
