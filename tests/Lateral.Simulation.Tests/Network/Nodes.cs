using System.Collections.Immutable;
using Akka.Actor;
using Lateral.Actors;
using Lateral.Actors.Learning;
using Lateral.Actors.Policies;
using Lateral.Actors.Rewards;
using Lateral.Actors.Rollouts;
using Lateral.Actors.Runs;
using Lateral.Actors.Sampling;
using Lateral.Core.Policies;
using Lateral.Core.Rewards;
using Lateral.Core.Runs;
using Lateral.Simulation.Tests.Engines;
using Lateral.Simulation.Tests.Machine;

namespace Lateral.Simulation.Tests.Network;

/// <summary>The product's actors, part by part, as NodeActors puts them together: every reference to another node goes over the wire.</summary>
internal sealed class Nodes(ExtendedActorSystem system, World world, Wire wire)
{
    public const string Coordinator = "coordinator", Shards = "shards", Learner = "learner", SamplerA = "sampler-a", SamplerB = "sampler-b", Reward = "reward";

    private readonly RunSettings _settings = world.Scenario.ToSettings();
    private readonly StageTime _time = new(world.Stage);

    public ImmutableArray<string> Names { get; } = world.Scenario.Apart
        ? [Coordinator, Shards, Learner, SamplerA, SamplerB, Reward]
        : [Coordinator, Learner, SamplerA, SamplerB, Reward];

    private string Entities => world.Scenario.Apart ? Shards : Coordinator;

    public IActorRef Start(Process process)
    {
        var engines = SimulatedEngines.Of(process, world);
        IReadOnlyList<(string, Props)> parts = process.Node switch
        {
            Coordinator => [.. CoordinatorParts(process), .. world.Scenario.Apart ? [] : GroupParts(process, engines, new JournalGauge(_time))],
            Shards => [.. GroupParts(process, engines, new JournalGauge(_time))],
            Learner => [.. LearnerParts(process, engines)],
            SamplerA or SamplerB => [.. SamplerParts(process, engines)],
            Reward => [("reward", RewardPart(process, engines))],
            _ => throw new ArgumentException($"no node {process.Node}", nameof(process)),
        };
        return system.ActorOf(Props.Create(typeof(Supervisor), process, parts, world.Stage), process.Name);
    }

    private IEnumerable<(string, Props)> CoordinatorParts(Process process)
    {
        var gauge = new JournalGauge(_time);
        yield return ("monitor", Props.Create(typeof(RunMonitorActor), new RunMonitor(_settings, gauge, _time)));
        yield return ("dispatcher", Props.Create(typeof(WorkDispatcherActor), _settings.Rollout.Deadline, Monitor(process), _time));
        var refs = new RunRefs(Groups(process), Dispatcher(process), wire.To(process, Learner, "publisher"), Monitor(process));
        yield return ("run", Props.Create(typeof(RunActor), _settings, refs, gauge, world.Scenario.SnapshotEvery));
    }

    private IEnumerable<(string, Props)> GroupParts(Process process, RunEngines engines, JournalGauge gauge)
    {
        var pools = ImmutableDictionary<string, IActorRef>.Empty.Add("answer", wire.To(process, Reward, "reward"));
        var refs = new GroupRefs(Run(process), Dispatcher(process), pools);
        Func<long, Props> entity = group => Props.Create(typeof(RolloutGroupActor), group, _settings, refs, engines.Prompts, gauge, _time);
        yield return ("groups", Props.Create(typeof(GroupRegion), entity, world.Stage));
    }

    private IEnumerable<(string, Props)> LearnerParts(Process process, RunEngines engines)
    {
        yield return ("publisher", Props.Create(typeof(SimulatedPublisher), world));
        yield return ("learner", Props.Create(typeof(LearnerActor), _settings, engines, new LearnerRefs(Run(process), Groups(process), Monitor(process)), _time));
    }

    private IEnumerable<(string, Props)> SamplerParts(Process process, RunEngines engines)
    {
        Func<PolicySource, IPolicyCache> connect = _ => engines.PolicyCache;
        // A deadline on the real clock would be none here.
        yield return ("policy-cache", Props.Create(typeof(PolicyCacheActor), connect, wire.To(process, Learner, "publisher"), Timeout.InfiniteTimeSpan, Monitor(process)));
        var refs = new SamplerRefs(Run(process), Dispatcher(process), Groups(process), wire.Within(process, "policy-cache"), Monitor(process));
        Func<Core.Rollouts.ISampler> engine = () => engines.Sampler("cpu");
        yield return ("sampler", Props.Create(typeof(SamplerActor), $"{process.Node}/cpu", _settings, refs, engine, engines.Prompts, _time));
    }

    private Props RewardPart(Process process, RunEngines engines) => Props.Create(
        typeof(RewardPoolActor), new RewardPool(_settings.Pools[0], engines.Rewards["answer"]) { Time = _time, Threads = StageThreads.Instance }, Monitor(process), Run(process), _time);

    private IActorRef Run(Process process) => wire.To(process, Coordinator, "run");

    private IActorRef Monitor(Process process) => wire.To(process, Coordinator, "monitor");

    private IActorRef Dispatcher(Process process) => wire.To(process, Coordinator, "dispatcher");

    private IActorRef Groups(Process process) => wire.To(process, Entities, "groups");
}
