using System.Collections.Immutable;
using Akka.Actor;
using Lateral.Actors;
using Lateral.Actors.Policies;
using Lateral.Core.Learning;
using Lateral.Core.Policies;
using Lateral.Core.Prompts;
using Lateral.Core.Rewards;
using Lateral.Core.Runs;
using Lateral.Simulation.Tests.Network;

namespace Lateral.Simulation.Tests.Engines;

/// <summary>The ports of a run for one process.</summary>
internal static class SimulatedEngines
{
    public static RunEngines Of(Process process, World world) => new(
        _ => new SimulatedSampler(process, world),
        () => new SimulatedLearner(process, world),
        ImmutableDictionary<string, IReward>.Empty.Add("answer", new SimulatedReward(process, world)),
        new SimulatedPrompts(),
        new SimulatedEvaluator(process, world),
        new SimulatedRecorder(process, world),
        new SimulatedPolicyCache(process, world),
        new NoPolicyStore());

    private static TimeSpan Moment(World world) => world.Stage.Dice.Between(TimeSpan.FromMilliseconds(1), TimeSpan.FromMilliseconds(100));

    private sealed class SimulatedPrompts : IPromptSource
    {
        public int HeldOutCount => 1;

        public Prompt Train(long ordinal) => new(ordinal, [(int)(ordinal % 10)], $"{ordinal % 10}", "");

        public Prompt HeldOut(int index) => Train(index);
    }

    private sealed class SimulatedEvaluator(Process process, World world) : IEvaluator
    {
        public Task<ImmutableSortedDictionary<string, double>> EvaluateAsync(PolicyManifest policy, bool full, CancellationToken cancellation) =>
            world.Later(process, () => true, Moment(world), () => ImmutableSortedDictionary<string, double>.Empty.Add("eval/pass_at_1", .5));
    }

    private sealed class SimulatedRecorder(Process process, World world) : IRunRecorder
    {
        public int LastRecordedStep => world.Disk.Recorded.DefaultIfEmpty(0).Max();

        public void Warmup(WarmupProgress progress)
        {
        }

        public Task RecordBaseAsync(BaseReady ready, CancellationToken cancellation) => world.Later(process, () => true, Moment(world), () => 0);

        public Task RecordStepAsync(StepReport report, LearnerBatch? batch, CancellationToken cancellation) => world.Later(process, () => true, Moment(world), () =>
        {
            world.Disk.Record(report.Step);
            return 0;
        });
    }

    private sealed class SimulatedPolicyCache(Process process, World world) : IPolicyCache
    {
        public Task<string> FetchAsync(PolicyManifest manifest, CancellationToken cancellation) => world.Later(process, () => true, Moment(world), () =>
            world.Disk.Holds(manifest) && !world.Fails(world.Scenario.EngineFailures) ? manifest.Location : throw new PolicyUnavailableException($"{manifest} cannot be fetched"));
    }

    /// <summary>The product's publisher prunes on the thread pool; <see cref="SimulatedPublisher"/> stands for it.</summary>
    private sealed class NoPolicyStore : IPolicyStore
    {
        public void Prune(int oldestVersion) => throw new NotSupportedException("pruned by SimulatedPublisher");
    }
}

/// <summary>Prunes published policies as the ledger says, and says that the run directory has them.</summary>
internal sealed class SimulatedPublisher : ReceiveActor
{
    public SimulatedPublisher(World world)
    {
        Receive<PolicyPublisherActor.Retain>(retain => Prune(world, retain));
        Receive<PolicyPublisherActor.GetPolicySource>(_ => Sender.Tell(new PolicyPublisherActor.PolicySourceIs(PolicySource.RunDirectory)));
    }

    private static void Prune(World world, PolicyPublisherActor.Retain retain)
    {
        foreach (var version in world.Disk.Policies.Keys.Where(version => version < retain.OldestVersion).ToArray())
        {
            world.Verdicts.Require(!world.Ledger.Fold.Policies.ContainsKey(version), "I9 Retention", $"policy {version} is pruned and still needed");
            world.Disk.Policies.Remove(version);
        }
    }
}
