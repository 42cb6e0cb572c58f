using Akka.Actor;
using Lateral.Actors.Hosting;
using Lateral.Actors.Runs;
using Lateral.Core.Runs;

namespace Lateral.Actors;

/// <summary>
/// One node's part of a run, in a real cluster of one or more nodes: ledger and learner as singletons, groups as sharded
/// entities, samplers one per device.
/// </summary>
public sealed class RunHost : IAsyncDisposable
{
    private static readonly TimeSpan StatusDeadline = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan SilenceDeadline = TimeSpan.FromSeconds(60);

    /// <summary>What the monitor heard before the run was resumed is replaced within a second, and the last step is recorded.</summary>
    private static readonly TimeSpan PauseGrace = TimeSpan.FromSeconds(3);

    private static readonly TimeSpan DrainDeadline = TimeSpan.FromMinutes(2);

    private readonly ClusterNode _cluster;
    private readonly NodeActors _actors;
    private readonly Task _resumed;
    private readonly TimeSpan _silence;
    private readonly CancellationTokenSource _stopping = new();
    private readonly BackupSchedule? _backups;

    private RunHost(ClusterNode cluster, NodeActors actors, Task resumed, ClusterSettings settings, TimeProvider time)
    {
        // Who owns the ledger knows soon that something is wrong; others wait for a coordinator that is started again.
        (_cluster, _actors, _resumed, _silence) = (cluster, actors, resumed, cluster.Node.Has(NodeRoles.Coordinator) ? SilenceDeadline : settings.Patience);
        if (cluster.Journal?.Backup is { } backup) _backups = new BackupSchedule(backup, Say, time);
        Completion = WatchAsync();
    }

    /// <summary>Where other nodes reach this one, as <c>host:port</c>.</summary>
    public string Address => _cluster.Address;

    /// <summary>
    /// Ends when the run's last step is in a checkpoint; faults with <see cref="RunFailedException"/> when a part fails for
    /// good, and with <see cref="RunHostException"/> when the journal cannot be written any more or the others have removed this node.
    /// </summary>
    public Task Completion { get; }

    /// <summary>Joins and starts in one go.</summary>
    /// <exception cref="RunHostException">as <see cref="ClusterNode.JoinAsync"/></exception>
    public static async Task<RunHost> StartAsync(RunSettings settings, RunEngines engines, TimeProvider? time = null, RunNode? node = null) =>
        await StartAsync(await ClusterNode.JoinAsync(settings, node), settings, engines, time);

    /// <summary>Starts the actors of the node's roles. The host owns the node from then on.</summary>
    public static async Task<RunHost> StartAsync(ClusterNode cluster, RunSettings settings, RunEngines engines, TimeProvider? time = null)
    {
        ArgumentNullException.ThrowIfNull(cluster);
        ArgumentNullException.ThrowIfNull(settings);
        try
        {
            var actors = await NodeActors.StartAsync(cluster.System, settings, engines, cluster.Node, time ?? TimeProvider.System);
            // A pause of the process before this one ends here; one that comes later ends this process.
            Task resumed = cluster.Node.Has(NodeRoles.Coordinator) ? actors.Run.Ask<RunProtocol.Resumed>(new RunProtocol.Resume(), DrainDeadline) : Task.CompletedTask;
            return new RunHost(cluster, actors, resumed, settings.Topology.Cluster, time ?? TimeProvider.System);
        }
        catch
        {
            await cluster.DisposeAsync();
            throw;
        }
    }

    /// <summary>Answered whatever the ledger and the journal do.</summary>
    /// <exception cref="AskTimeoutException">the actors of this process do not run</exception>
    public Task<RunStatus> StatusAsync() => _actors.Monitor.Ask<RunStatus>(new RunProtocol.GetRunStatus(), StatusDeadline);

    /// <summary>
    /// Stops this node's part. With the coordinator the whole run stops: the running step is finished, committed and saved.
    /// Idempotent.
    /// </summary>
    /// <returns>the version that was saved; null = the run goes on without this node</returns>
    public async Task<int?> StopAsync()
    {
        int? saved = _cluster.Node.Has(NodeRoles.Coordinator) ? (await _actors.Run.Ask<RunProtocol.Drained>(new RunProtocol.Drain(), DrainDeadline)).Version : null;
        await DisposeAsync();
        return saved;
    }

    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync();
        try
        {
            await _cluster.DisposeAsync();
        }
        finally
        {
            if (_backups is not null) await _backups.DisposeAsync();
        }
    }

    /// <summary>To the run's monitor, and past it once that is stopped.</summary>
    private void Say(string text)
    {
        if (_cluster.System.WhenTerminated.IsCompleted) _cluster.Say(text);
        else _actors.Monitor.Tell(new RunProtocol.Notice(text));
    }

    private static string? WhyLedgerIsLost(RunStatus status)
    {
        if (status.Part(Parts.Journal)?.Fault is { } fault && fault.Seconds > SilenceDeadline.TotalSeconds) return $"the journal has failed ({fault.Reason})";
        return status.Part(Parts.Ledger)?.SilentSeconds > SilenceDeadline.TotalSeconds ? "the run's ledger has not been heard of" : null;
    }

    private async Task WatchAsync()
    {
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(200));
        var coordinator = _cluster.Node.Has(NodeRoles.Coordinator);
        var answered = TimeProvider.System.GetTimestamp();
        long? paused = null;
        while (await timer.WaitForNextTickAsync(_stopping.Token))
        {
            if (_cluster.Removed.IsCompleted)
                throw new RunHostException($"the other nodes have removed {Address} from the cluster: it was cut off or did not answer for a while. Start it again; nothing that was journaled is lost");
            if (_actors.DeviceLost is { IsCompletedSuccessfully: true, Result: var lost })
                throw new RunFailedException($"{lost.Part} lost its device, and no call of this process can use it any more: {lost.Reason}; what was journaled is safe, go on with lateral resume");
            RunStatus status;
            try
            {
                status = await StatusAsync();
                answered = TimeProvider.System.GetTimestamp();
            }
            catch (AskTimeoutException) when (TimeProvider.System.GetElapsedTime(answered) < _silence)
            {
                continue;
            }
            catch (AskTimeoutException)
            {
                throw new RunFailedException($"the run's actors have not answered for {_silence.TotalSeconds:0} s; see logs", environment: !coordinator);
            }

            if (status.Failed is { } failure) throw new RunFailedException(failure.Reason, failure.Environment);
            if (status.Ledger.Finished)
            {
                if (coordinator) await _cluster.OutliveOthersAsync();
                return;
            }

            paused = _resumed.IsCompleted && status.Ledger is { Paused: not null, PausedFor: null } ? paused ?? TimeProvider.System.GetTimestamp() : null;
            if (paused is { } since && TimeProvider.System.GetElapsedTime(since) > PauseGrace) throw new RunFailedException($"the run is paused: {status.Ledger.Paused}; then go on with lateral resume");
            if (!coordinator || WhyLedgerIsLost(status) is not { } reason) continue;
            // A ledger that cannot persist stops and is started again for ever; the journal itself says why.
            _cluster.Journal?.Probe();
            throw new RunFailedException($"{reason} for {SilenceDeadline.TotalSeconds:0} s; see logs/lateral.log");
        }
    }
}

/// <summary>The environment does not let the run start: journal, port, cluster.</summary>
public sealed class RunHostException(string message, Exception? inner = null) : Exception(message, inner);

/// <summary>A part of the run failed for good; what was committed is safe and the run can be resumed.</summary>
/// <param name="environment">the machine's doing, not the training's</param>
public sealed class RunFailedException(string message, bool environment = false) : Exception(message)
{
    public bool Environment => environment;
}
