using Akka.Actor;
using Akka.Event;
using Lateral.Core.Runs;

namespace Lateral.Actors.Runs;

/// <summary>
/// Hears every part and answers for the run, in an actor of its own: the ledger answers nobody while it persists, and
/// forgets what it heard when its journal makes it start again.
/// </summary>
internal sealed class RunMonitorActor : ReceiveActor
{
    public RunMonitorActor(RunMonitor monitor)
    {
        var log = Context.GetLogger();
        Receive<PartStatus>(monitor.Note);
        Receive<LedgerStatus>(monitor.Note);
        Receive<RunProtocol.PartFailed>(failed =>
        {
            log.Error("{0} failed: {1}", failed.Part, failed.Failure.Reason);
            monitor.Note(failed);
        });
        Receive<RunProtocol.PartGivenUp>(part =>
        {
            log.Error("{0} is given up", part.Part);
            monitor.Note(part);
        });
        Receive<RunProtocol.Notice>(monitor.Note);
        Receive<RunProtocol.GetRunStatus>(_ => Sender.Tell(monitor.Status()));
    }
}
