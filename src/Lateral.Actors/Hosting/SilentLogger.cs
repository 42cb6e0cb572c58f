using Akka.Event;

namespace Lateral.Actors.Hosting;

/// <summary>
/// Takes what Akka would print while its loggers start and stop: on shutdown it writes to the console whatever
/// stdout-loglevel says, and the console belongs to the run's own report.
/// </summary>
internal sealed class SilentLogger : MinimalLogger
{
    protected override void Log(object message)
    {
    }
}
