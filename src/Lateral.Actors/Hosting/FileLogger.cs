using Akka.Actor;
using Akka.Dispatch;
using Akka.Event;

namespace Lateral.Actors.Hosting;

/// <summary>Akka's log as one line an event in the run directory; the console belongs to the run's own report.</summary>
internal sealed class FileLogger : ReceiveActor, IRequiresMessageQueue<ILoggerMessageQueueSemantics>
{
    private readonly StreamWriter _writer;

    public FileLogger()
    {
        var path = Context.System.Settings.Config.GetString("lateral.log-file");
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        _writer = new StreamWriter(new FileStream(path, FileMode.Append, FileAccess.Write, FileShare.ReadWrite)) { AutoFlush = true };
        Receive<InitializeLogger>(_ => Sender.Tell(new LoggerInitialized()));
        Receive<LogEvent>(e => _writer.WriteLine($"{e.Timestamp:O} {e.LogLevel()} {e.LogSource} {e.Message}{(e.Cause is null ? "" : $" {e.Cause}")}"));
    }

    protected override void PostStop() => _writer.Dispose();
}
