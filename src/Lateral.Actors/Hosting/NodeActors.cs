using System.Collections.Immutable;
using System.Globalization;
using Akka.Actor;
using Akka.Cluster.Routing;
using Akka.Cluster.Sharding;
using Akka.Cluster.Tools.Singleton;
using Akka.Pattern;
using Akka.Routing;
using Lateral.Actors.Learning;
using Lateral.Actors.Policies;
using Lateral.Actors.Rewards;
using Lateral.Actors.Rollouts;
using Lateral.Actors.Runs;
using Lateral.Actors.Sampling;
using Lateral.Core.Learning;
using Lateral.Core.Policies;
using Lateral.Core.Runs;

namespace Lateral.Actors.Hosting;

/// <summary>
/// The actors of one node, role by role. Roles meet only through proxies, the shard region and a router, so it makes no
/// difference to any of them which node another is on.
/// </summary>
internal sealed class NodeActors
{
    private const string Groups = "group";

    private readonly ActorSystem _system;
    private readonly RunSettings _settings;
    private readonly RunEngines _engines;
    private readonly RunNode _node;
    private readonly TimeProvider _time;
    private readonly IActorRef _dispatcher;
    private readonly IActorRef _publisher;
    private readonly Lazy<IActorRef> _cache;

    private NodeActors(ActorSystem system, RunSettings settings, RunEngines engines, RunNode node, TimeProvider time)
    {
        (_system, _settings, _engines, _node, _time) = (system, settings, engines, node, time);
        (Run, Monitor, _dispatcher) = (Proxy("run", "coordinator"), Proxy("monitor", "coordinator"), Proxy("dispatcher", "coordinator"));
        _publisher = Proxy("policy-publisher", "learner");
        // One for all devices of the node.
        _cache = new(() => _system.ActorOf(Props.Create(() => new PolicyCacheActor(source => Policies(source), _publisher, _settings.Policies.Deadline, Monitor)), "policy-cache"));
        var lost = new TaskCompletionSource<DeviceLost>(TaskCreationOptions.RunContinuationsAsynchronously);
        system.ActorOf(Props.Create(() => new DeviceWatch(lost)), "device-watch");
        DeviceLost = lost.Task;
    }

    /// <summary>Ends when an engine of this process has lost its device for as long as the process lives.</summary>
    public Task<DeviceLost> DeviceLost { get; }

    public IActorRef Run { get; }

    public IActorRef Monitor { get; }

    /// <summary>What other nodes of the run may reach by path; everything else answers only to those it has spoken to.</summary>
    public static IEnumerable<string> TrustedPaths(RunSettings settings) =>
    [
        .. new[] { "run", "monitor", "dispatcher", "policy-publisher", "learner", "gradients" }.SelectMany(name => new[] { $"/user/{name}", $"/user/{name}/singleton" }),
        .. settings.Pools.Select(pool => $"/user/{RewardName(pool.Name)}"),
        "/system/cluster/core/daemon", "/system/cluster/heartbeatReceiver",
        "/system/sharding/coordinatorReplicator", $"/system/sharding/{Groups}Coordinator", $"/system/sharding/{Groups}Coordinator/singleton/coordinator",
    ];

    public static async Task<NodeActors> StartAsync(ActorSystem system, RunSettings settings, RunEngines engines, RunNode node, TimeProvider time)
    {
        var actors = new NodeActors(system, settings, engines, node, time);
        if (node.Has(NodeRoles.Reward)) actors.StartRewards();
        var groups = node.Has(NodeRoles.Coordinator) ? await actors.StartCoordinatorAsync() : await actors.ReachGroupsAsync();
        if (node.Has(NodeRoles.Learner)) actors.StartLearner(groups);
        if (node.Has(NodeRoles.Sampler)) actors.StartSamplers(groups);
        actors.StartRanks(groups);
        return actors;
    }

    /// <summary>The only role that touches the journal.</summary>
    private async Task<IActorRef> StartCoordinatorAsync()
    {
        var gauge = new JournalGauge(_time);
        Singleton("monitor", Props.Create(() => new RunMonitorActor(new RunMonitor(_settings, gauge, _time))), "coordinator");
        var pools = _settings.Pools.ToImmutableDictionary(pool => pool.Name, pool => Rewards(pool.Name));
        var groups = await StartGroupsAsync(new GroupRefs(Run, _dispatcher, pools), gauge);
        Singleton("dispatcher", Props.Create(() => new WorkDispatcherActor(_settings.Rollout.Deadline, Monitor, _time)), "coordinator");
        Singleton("run", Props.Create(() => new RunActor(_settings, new RunRefs(groups, _dispatcher, _publisher, Monitor), gauge, 1000)), "coordinator");
        return groups;
    }

    private void StartLearner(IActorRef groups)
    {
        Singleton("policy-publisher", Props.Create(() => new PolicyPublisherActor(_engines.PolicyStore, _engines.PolicySource, Monitor)), "learner");
        if (_engines.Gradients.Shared) Singleton("gradients", Props.Create(() => new GradientDispatcherActor(_engines.Gradients)), "learner");
        Singleton("learner", Props.Create(() => new LearnerActor(_settings, _engines, new LearnerRefs(Run, groups, Monitor), _time)), "learner");
    }

    private void StartSamplers(IActorRef groups)
    {
        var refs = new SamplerRefs(Run, _dispatcher, groups, _cache.Value, Monitor);
        foreach (var device in _settings.Topology.SamplerDevices)
        {
            var name = _node.Name is { } node ? $"{node}/{device}" : RunMonitor.SamplerName(_settings, device);
            var props = Props.Create(() => new SamplerActor(name, _settings, refs, () => _engines.Sampler(device), _engines.Prompts, _time));
            _system.ActorOf(Props.Create(() => new DeviceKeeper(Parts.Sampler(name), props, Monitor, _time)), $"sampler-{device.Replace(':', '-')}");
        }
    }

    /// <summary>A run of one process has its ranks beside its learner; in a cluster they are processes of their own.</summary>
    private void StartRanks(IActorRef groups)
    {
        var topology = _settings.Topology;
        var count = topology.Cluster.IsAlone ? (_node.Has(NodeRoles.Learner) ? topology.Ranks - 1 : 0) : _node.Has(NodeRoles.Rank) ? topology.RankDevices.Length : 0;
        if (count == 0 || _engines.Rank is not { } engine) return;
        var refs = new RankRefs(Proxy("gradients", "learner"), groups, _cache.Value, _publisher, Monitor);
        for (var i = 0; i < count; i++)
        {
            var device = topology.RankDevices[i % topology.RankDevices.Length];
            var name = $"{_node.Name ?? topology.Host}/{device}{(i < topology.RankDevices.Length ? "" : $"-{(i / topology.RankDevices.Length) + 1}")}";
            var props = Props.Create(() => new RankActor(name, refs, () => engine(device), source => Gradients(source), topology.ShardDeadline));
            _system.ActorOf(Props.Create(() => new DeviceKeeper(Parts.Rank(name), props, Monitor, _time)), $"rank-{i}");
        }
    }

    private IGradientSink Gradients(PolicySource source) => source.Address is not null && _engines.RemoteGradients is { } remote ? remote(source) : _engines.Gradients;

    private IPolicyCache Policies(PolicySource source) => source.Address is not null && _engines.RemotePolicies is { } remote ? remote(source) : _engines.PolicyCache;

    private void StartRewards()
    {
        foreach (var pool in _settings.Pools)
        {
            _system.ActorOf(Props.Create(() => new RewardPoolActor(new Core.Rewards.RewardPool(pool, _engines.Rewards[pool.Name]), Monitor, Run, _time)), RewardName(pool.Name));
        }
    }

    /// <summary>One pool's nodes in turn; a group whose request met none asks again.</summary>
    private IActorRef Rewards(string pool)
    {
        var path = $"/user/{RewardName(pool)}";
        var router = new ClusterRouterGroup(new RoundRobinGroup(path), new ClusterRouterGroupSettings(10_000, [path], allowLocalRoutees: true, useRole: "reward"));
        return _system.ActorOf(Props.Empty.WithRouter(router), $"{RewardName(pool)}-router");
    }

    private async Task<IActorRef> StartGroupsAsync(GroupRefs refs, JournalGauge gauge) => await ClusterSharding.Get(_system).StartAsync(
        Groups,
        // Not Props.Create(() => ...): it would compile an expression for every group.
        id => Props.Create(typeof(RolloutGroupActor), long.Parse(id, CultureInfo.InvariantCulture), _settings, refs, _engines.Prompts, gauge, _time),
        ClusterSharding.Get(_system).Settings,
        Extractor());

    private async Task<IActorRef> ReachGroupsAsync() => await ClusterSharding.Get(_system).StartProxyAsync(Groups, "coordinator", Extractor());

    private GroupMessageExtractor Extractor() => new(_system.Settings.Config.GetInt("akka.cluster.sharding.number-of-shards"));

    private void Singleton(string name, Props props, string role) => _system.ActorOf(
        ClusterSingletonManager.Props(Supervised(props, name), PoisonPill.Instance, ClusterSingletonManagerSettings.Create(_system).WithRole(role)), name);

    private IActorRef Proxy(string name, string role) => _system.ActorOf(
        ClusterSingletonProxy.Props($"/user/{name}", ClusterSingletonProxySettings.Create(_system).WithRole(role)), $"{name}-proxy");

    /// <summary>A failure stops the child; the supervisor starts another after a back-off. OnStop, because a persistent actor stops on a journal failure.</summary>
    private static Props Supervised(Props child, string name) => BackoffSupervisor.Props(
        Backoff.OnStop(child, name, TimeSpan.FromMilliseconds(200), TimeSpan.FromSeconds(10), 0.2, maxNrOfRetries: -1)
            .WithSupervisorStrategy(new OneForOneStrategy(_ => Directive.Stop)));

    private static string RewardName(string pool) => $"reward-{pool}";
}
