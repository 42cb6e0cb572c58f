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

    private NodeActors(ActorSystem system, RunSettings settings, RunEngines engines, RunNode node, TimeProvider time)
    {
        (_system, _settings, _engines, _node, _time) = (system, settings, engines, node, time);
        (Run, Monitor, _dispatcher) = (Proxy("run", "coordinator"), Proxy("monitor", "coordinator"), Proxy("dispatcher", "coordinator"));
        _publisher = Proxy("policy-publisher", "learner");
    }

    public IActorRef Run { get; }

    public IActorRef Monitor { get; }

    /// <summary>What other nodes of the run may reach by path; everything else answers only to those it has spoken to.</summary>
    public static IEnumerable<string> TrustedPaths(RunSettings settings) =>
    [
        .. new[] { "run", "monitor", "dispatcher", "policy-publisher", "learner" }.SelectMany(name => new[] { $"/user/{name}", $"/user/{name}/singleton" }),
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
        Singleton("policy-publisher", Props.Create(() => new PolicyPublisherActor(_engines.PolicyStore, Monitor)), "learner");
        Singleton("learner", Props.Create(() => new LearnerActor(_settings, _engines, new LearnerRefs(Run, groups, Monitor), _time)), "learner");
    }

    private void StartSamplers(IActorRef groups)
    {
        var cache = _system.ActorOf(Props.Create(() => new PolicyCacheActor(_engines.PolicyCache, Monitor)), "policy-cache");
        var refs = new SamplerRefs(Run, _dispatcher, groups, cache, Monitor);
        foreach (var device in _settings.Topology.SamplerDevices)
        {
            var name = _node.Name is { } node ? $"{node}/{device}" : RunMonitor.SamplerName(_settings, device);
            var props = Props.Create(() => new SamplerActor(name, _settings, refs, () => _engines.Sampler(device), _engines.Prompts, _time));
            _system.ActorOf(Supervised(props, "engine"), $"sampler-{device.Replace(':', '-')}");
        }
    }

    private void StartRewards()
    {
        foreach (var pool in _settings.Pools)
        {
            _system.ActorOf(Props.Create(() => new RewardPoolActor(new Core.Rewards.RewardPool(pool, _engines.Rewards[pool.Name]), Monitor, _time)), RewardName(pool.Name));
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
