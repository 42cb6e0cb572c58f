using System.Collections.Immutable;
using System.Globalization;
using Akka.Actor;
using Akka.Actor.Setup;
using Akka.Cluster;
using Akka.Cluster.Sharding;
using Akka.Cluster.Tools.Singleton;
using Akka.Pattern;
using Lateral.Actors.Hosting;
using Lateral.Actors.Learning;
using Lateral.Actors.Policies;
using Lateral.Actors.Rewards;
using Lateral.Actors.Rollouts;
using Lateral.Actors.Runs;
using Lateral.Actors.Sampling;
using Lateral.Core.Rewards;
using Lateral.Core.Runs;

namespace Lateral.Actors;

/// <summary>
/// One run's actors in a real one-node cluster: ledger and learner as singletons, groups as sharded entities, samplers
/// one per device.
/// </summary>
public sealed class RunHost : IAsyncDisposable
{
    private static readonly TimeSpan StartDeadline = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan StatusDeadline = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan SilenceDeadline = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan DrainDeadline = TimeSpan.FromMinutes(2);

    private readonly ActorSystem _system;
    private readonly Journal _journal;
    private readonly IActorRef _run;
    private readonly IActorRef _monitor;
    private readonly CancellationTokenSource _stopping = new();

    private RunHost(ActorSystem system, Journal journal, IActorRef run, IActorRef monitor)
    {
        (_system, _journal, _run, _monitor) = (system, journal, run, monitor);
        Completion = WatchAsync();
    }

    /// <summary>
    /// Ends when the run's last step is in a checkpoint; faults with <see cref="RunFailedException"/> when a part fails for
    /// good, and with <see cref="RunHostException"/> when the journal cannot be written any more.
    /// </summary>
    public Task Completion { get; }

    /// <exception cref="RunHostException">journal or port cannot be used, or the cluster does not form in time</exception>
    public static async Task<RunHost> StartAsync(RunSettings settings, RunEngines engines, TimeProvider? time = null)
    {
        var journal = Journal.Of(settings);
        journal.Probe();
        var setup = ActorSystemSetup.Create(BootstrapSetup.Create().WithConfig(AkkaConfiguration.For(settings, journal)), journal.ToSetup());
        var system = CreateSystem(setup, settings.Topology);
        try
        {
            await JoinAsync(system);
            var (run, monitor) = await StartActorsAsync(system, settings, engines, time ?? TimeProvider.System);
            return new RunHost(system, journal, run, monitor);
        }
        catch
        {
            await system.Terminate();
            throw;
        }
    }

    /// <summary>Answered whatever the ledger and the journal do.</summary>
    /// <exception cref="AskTimeoutException">the actors of this process do not run</exception>
    public Task<RunStatus> StatusAsync() => _monitor.Ask<RunStatus>(new RunProtocol.GetRunStatus(), StatusDeadline);

    /// <summary>Finishes and commits the running step, writes a checkpoint, and stops. Idempotent.</summary>
    /// <returns>the version that was saved</returns>
    public async Task<int> StopAsync()
    {
        var drained = await _run.Ask<RunProtocol.Drained>(new RunProtocol.Drain(), DrainDeadline);
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

    private static async Task JoinAsync(ActorSystem system)
    {
        var cluster = Cluster.Get(system);
        var up = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        cluster.RegisterOnMemberUp(up.SetResult);
        cluster.Join(cluster.SelfAddress);
        try
        {
            await up.Task.WaitAsync(StartDeadline);
        }
        catch (TimeoutException)
        {
            throw new RunHostException($"the one-node cluster at {cluster.SelfAddress} did not form within {StartDeadline.TotalSeconds:0} s; see logs/lateral.log");
        }
    }

    /// <summary>Every actor of a run, in the order in which they refer to one another.</summary>
    private static async Task<(IActorRef Run, IActorRef Monitor)> StartActorsAsync(ActorSystem system, RunSettings settings, RunEngines engines, TimeProvider time)
    {
        var run = Proxy(system, "run");
        var dispatcher = Proxy(system, "dispatcher");
        var monitor = Proxy(system, "monitor");
        var gauge = new JournalGauge(time);
        Singleton(system, "monitor", Props.Create(() => new RunMonitorActor(new RunMonitor(settings, gauge, time))), "coordinator");
        var pools = settings.Pools.ToImmutableDictionary(
            pool => pool.Name,
            pool => system.ActorOf(Props.Create(() => new RewardPoolActor(new RewardPool(pool, engines.Rewards[pool.Name]), monitor, time)), $"reward-{pool.Name}"));
        var groups = await StartGroupsAsync(system, settings, engines, new GroupRefs(run, dispatcher, pools), gauge, time);
        var publisher = system.ActorOf(Props.Create(() => new PolicyPublisherActor(engines.PolicyStore, monitor)), "policy-publisher");
        var cache = system.ActorOf(Props.Create(() => new PolicyCacheActor(engines.PolicyCache, monitor)), "policy-cache");

        Singleton(system, "dispatcher", Props.Create(() => new WorkDispatcherActor(settings.Rollout.Deadline, monitor, time)), "coordinator");
        Singleton(system, "run", Props.Create(() => new RunActor(settings, new RunRefs(groups, dispatcher, publisher, monitor), gauge, 1000)), "coordinator");
        Singleton(system, "learner", Props.Create(() => new LearnerActor(settings, engines, new LearnerRefs(run, groups, monitor), time)), "learner");
        foreach (var device in settings.Topology.SamplerDevices)
        {
            var refs = new SamplerRefs(run, dispatcher, groups, cache, monitor);
            var props = Props.Create(() => new SamplerActor(RunMonitor.SamplerName(settings, device), settings, refs, () => engines.Sampler(device), engines.Prompts, time));
            system.ActorOf(Supervised(props, "engine"), $"sampler-{device.Replace(':', '-')}");
        }

        return (run, monitor);
    }

    private static async Task<IActorRef> StartGroupsAsync(ActorSystem system, RunSettings settings, RunEngines engines, GroupRefs refs, JournalGauge gauge, TimeProvider time)
    {
        var sharding = ClusterSharding.Get(system);
        var shards = system.Settings.Config.GetInt("akka.cluster.sharding.number-of-shards");
        return await sharding.StartAsync(
            "group",
            // Not Props.Create(() => ...): it would compile an expression for every group.
            id => Props.Create(typeof(RolloutGroupActor), long.Parse(id, CultureInfo.InvariantCulture), settings, refs, engines.Prompts, gauge, time),
            sharding.Settings,
            new GroupMessageExtractor(shards));
    }

    private static void Singleton(ActorSystem system, string name, Props props, string role) => system.ActorOf(
        ClusterSingletonManager.Props(Supervised(props, name), PoisonPill.Instance, ClusterSingletonManagerSettings.Create(system).WithRole(role)), name);

    private static IActorRef Proxy(ActorSystem system, string name) => system.ActorOf(
        ClusterSingletonProxy.Props($"/user/{name}", ClusterSingletonProxySettings.Create(system).WithRole("coordinator")), $"{name}-proxy");

    /// <summary>A failure stops the child; the supervisor starts another after a back-off. OnStop, because a persistent actor stops on a journal failure.</summary>
    private static Props Supervised(Props child, string name) => BackoffSupervisor.Props(
        Backoff.OnStop(child, name, TimeSpan.FromMilliseconds(200), TimeSpan.FromSeconds(10), 0.2, maxNrOfRetries: -1)
            .WithSupervisorStrategy(new OneForOneStrategy(_ => Directive.Stop)));

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
            _journal.Probe();
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
