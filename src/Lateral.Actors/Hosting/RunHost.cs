using System.Collections.Immutable;
using System.Globalization;
using Akka.Actor;
using Akka.Actor.Setup;
using Akka.Cluster;
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
    private static readonly TimeSpan StartDeadline = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan StatusDeadline = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan SilenceDeadline = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan DrainDeadline = TimeSpan.FromMinutes(2);

    private readonly ActorSystem _system;
    private readonly Journal? _journal;
    private readonly NodeActors _actors;
    private readonly CancellationTokenSource _stopping = new();

    private RunHost(ActorSystem system, Journal? journal, NodeActors actors)
    {
        (_system, _journal, _actors) = (system, journal, actors);
        Completion = WatchAsync();
    }

    /// <summary>Where other nodes reach this one, as <c>host:port</c>.</summary>
    public string Address => $"{Cluster.Get(_system).SelfAddress.Host}:{Cluster.Get(_system).SelfAddress.Port}";

    /// <summary>
    /// Ends when the run's last step is in a checkpoint; faults with <see cref="RunFailedException"/> when a part fails for
    /// good, and with <see cref="RunHostException"/> when the journal cannot be written any more.
    /// </summary>
    public Task Completion { get; }

    /// <exception cref="RunHostException">journal or port cannot be used, or the cluster does not form in time</exception>
    public static async Task<RunHost> StartAsync(RunSettings settings, RunEngines engines, TimeProvider? time = null, RunNode? node = null)
    {
        node ??= RunNode.Alone;
        var journal = node.Has(NodeRoles.Coordinator) ? Journal.Of(settings) : null;
        var setup = ActorSystemSetup.Create(BootstrapSetup.Create().WithConfig(AkkaConfiguration.For(settings, node, journal?.Parallelism ?? 1)));
        if (journal is not null)
        {
            journal.Probe();
            setup = setup.And(journal.ToSetup());
        }

        var system = CreateSystem(setup, settings.Topology);
        try
        {
            await JoinAsync(system, node);
            return new RunHost(system, journal, await NodeActors.StartAsync(system, settings, engines, node, time ?? TimeProvider.System));
        }
        catch
        {
            await system.Terminate();
            throw;
        }
    }

    /// <summary>Answered whatever the ledger and the journal do.</summary>
    /// <exception cref="AskTimeoutException">the actors of this process do not run</exception>
    public Task<RunStatus> StatusAsync() => _actors.Monitor.Ask<RunStatus>(new RunProtocol.GetRunStatus(), StatusDeadline);

    /// <summary>Finishes and commits the running step, writes a checkpoint, and stops. Idempotent.</summary>
    /// <returns>the version that was saved</returns>
    public async Task<int> StopAsync()
    {
        var drained = await _actors.Run.Ask<RunProtocol.Drained>(new RunProtocol.Drain(), DrainDeadline);
        await DisposeAsync();
        return drained.Version;
    }

    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync();
        await CoordinatedShutdown.Get(_system).Run(CoordinatedShutdown.ActorSystemTerminateReason.Instance);
    }

    private static ActorSystem CreateSystem(ActorSystemSetup setup, TopologySettings topology)
    {
        try
        {
            return ActorSystem.Create("lateral", setup);
        }
        catch (Exception failure) when (failure.GetBaseException() is System.Net.Sockets.SocketException socket)
        {
            throw new RunHostException(
                $"topology.port = {topology.Port} on {topology.Host} cannot be used: {socket.Message}; set topology.port = 0 for any free port, or stop what holds it", failure);
        }
    }

    private static async Task JoinAsync(ActorSystem system, RunNode node)
    {
        var cluster = Cluster.Get(system);
        var up = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        cluster.RegisterOnMemberUp(up.SetResult);
        var seeds = node.Seeds.Select(seed => AddressOf(seed, cluster.SelfAddress)).ToImmutableArray();
        if (seeds.IsEmpty) cluster.Join(cluster.SelfAddress);
        else cluster.JoinSeedNodes(seeds);
        try
        {
            await up.Task.WaitAsync(StartDeadline);
        }
        catch (TimeoutException)
        {
            var whom = seeds.IsEmpty ? "begin a cluster" : $"join {string.Join(", ", node.Seeds)}";
            throw new RunHostException($"the node at {cluster.SelfAddress} could not {whom} within {StartDeadline.TotalSeconds:0} s; see logs/lateral.log");
        }
    }

    private static Address AddressOf(string seed, Address self) =>
        seed.LastIndexOf(':') is > 0 and var colon && int.TryParse(seed.AsSpan(colon + 1), NumberStyles.None, CultureInfo.InvariantCulture, out var port)
            ? self.WithHost(seed[..colon]).WithPort(port)
            : throw new RunHostException($"'{seed}' is no node's address: it should be host:port, for example 10.0.0.7:4053");

    private static string? WhyLedgerIsLost(RunStatus status)
    {
        if (status.Part(Parts.Journal)?.Fault is { } fault && fault.Seconds > SilenceDeadline.TotalSeconds) return $"the journal has failed ({fault.Reason})";
        return status.Part(Parts.Ledger)?.SilentSeconds > SilenceDeadline.TotalSeconds ? "the run's ledger has not been heard of" : null;
    }

    private async Task WatchAsync()
    {
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(200));
        var answered = TimeProvider.System.GetTimestamp();
        while (await timer.WaitForNextTickAsync(_stopping.Token))
        {
            RunStatus status;
            try
            {
                status = await StatusAsync();
                answered = TimeProvider.System.GetTimestamp();
            }
            catch (AskTimeoutException) when (TimeProvider.System.GetElapsedTime(answered) < SilenceDeadline)
            {
                continue;
            }
            catch (AskTimeoutException)
            {
                throw new RunFailedException($"the run's actors have not answered for {SilenceDeadline.TotalSeconds:0} s; see logs/lateral.log");
            }

            if (status.Failed is { } failure) throw new RunFailedException(failure.Reason, failure.Environment);
            if (status.Ledger.Finished) return;
            if (WhyLedgerIsLost(status) is not { } reason) continue;
            // A ledger that cannot persist stops and is started again for ever; the journal itself says why.
            _journal?.Probe();
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
