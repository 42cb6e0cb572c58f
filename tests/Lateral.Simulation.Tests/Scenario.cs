using System.Collections.Immutable;
using System.Globalization;
using Lateral.Core.Learning;
using Lateral.Core.Policies;
using Lateral.Core.Rewards;
using Lateral.Core.Rollouts;
using Lateral.Core.Runs;
using Lateral.Simulation.Tests.Machine;
using Lateral.Simulation.Tests.Network;

namespace Lateral.Simulation.Tests;

/// <summary>What decides the weights of a deterministic run.</summary>
/// <param name="PoisonEvery">rewards never work for every so-manieth group; 0 = none</param>
internal sealed record Shape(bool Deterministic, int Steps, int GroupsPerStep, int GroupSize, int MaxStaleness, int PoisonEvery);

/// <summary>One run to simulate: its shape, and what befalls it.</summary>
/// <param name="Trouble">virtual time until which faults happen</param>
/// <param name="Faults">probability, per mailbox run, that a process crashes, is cut off or gets a double</param>
/// <param name="JournalFailures">probability that the database does not answer</param>
/// <param name="EngineFailures">probability, per operation of an engine</param>
/// <param name="Apart">the group entities live on a coordinator node of their own</param>
/// <param name="Overlaps">a new process may begin while the old one still lives, as after a pause that looked like death</param>
internal sealed record Scenario(
    ulong Seed, Shape Shape, Weather Weather, TimeSpan Trouble, double Faults, double JournalFailures, double EngineFailures, bool Apart, bool Overlaps,
    int CheckpointEvery, int SnapshotEvery, int Slots, TimeSpan Lease)
{
    public const string Run = "simulated";

    /// <summary>Seeds from here on are the ones below it, with many crashes and doubles: for what hides from the average run.</summary>
    public const ulong Stormy = 1_000_000;

    public static Scenario Of(ulong seed)
    {
        if (seed >= Stormy) return Of(seed - Stormy) with { Seed = seed, Faults = .008, Overlaps = true };
        var dice = new Dice(seed ^ 0xA5A5A5A5A5A5A5A5);
        var shape = new Shape(dice.Chance(.5), dice.Between(2, 5), dice.Between(1, 3), dice.Between(1, 3), dice.Between(0, 2), dice.Chance(.25) ? 4 : 0);
        // Some seeds are calm in one respect, so that the others are seen alone.
        var weather = new Weather(
            dice.OneOf(0, .02, .1), dice.OneOf(0, .02, .1), dice.OneOf(0, .05), dice.Between(TimeSpan.FromMilliseconds(100), TimeSpan.FromSeconds(8)), dice.Chance(.5));
        return new Scenario(
            seed, shape, weather, dice.Between(TimeSpan.FromSeconds(5), TimeSpan.FromSeconds(40)), dice.OneOf(0, .003, .008), dice.OneOf(0, .01, .05),
            dice.OneOf(0, .01, .03), dice.Chance(.5), dice.Chance(.7), dice.Between(1, 3), dice.OneOf(3, 10, 1000), dice.Between(1, 6),
            dice.Between(TimeSpan.FromSeconds(5), TimeSpan.FromSeconds(30)));
    }

    /// <summary>The same run when nothing happens to it.</summary>
    public static Scenario Calm(Shape shape) =>
        new(0, shape, Weather.Fair, TimeSpan.Zero, 0, 0, 0, Apart: true, Overlaps: false, CheckpointEvery: 2, SnapshotEvery: 1000, Slots: 4, Lease: TimeSpan.FromSeconds(30));

    public RunSettings ToSettings() => new(
        Run, "", Shape.Steps, 7, Shape.Deterministic,
        new TaskSettings("simulated", ImmutableSortedDictionary<string, string>.Empty),
        new ModelSettings(null, new ModelSize(8, 1, 1, 8)), new WarmupSettings(0, 1, 1e-3, 0),
        new RolloutSettings(Shape.GroupsPerStep, Shape.GroupSize, new RolloutSpec(2, 2, 2, 1, "random", false), Lease), Shape.MaxStaleness, "grpo",
        new LearnerSettings(MethodSettings.Of("trajectory", ("step-subset", 0)), RatioGranularity.Token, MethodSettings.Of("none"), "group-mean", 1e-3, 0, "constant", 1, .9, .999, 1e-8, 0, 1, 1, 2, 1024),
        // Workers enough that no call waits for one: that wait would end on another thread.
        [new RewardPoolSpec("answer", "simulated", 64, 1, TimeSpan.FromSeconds(4), -1)],
        new EvaluationSettings(2, 1, 1, 1), new CheckpointSettings(CheckpointEvery, 3),
        new TopologySettings(["cpu"], Slots, "cpu", "127.0.0.1", 0), new JournalSettings("simulated"), new ComputeSettings(1, null), "")
    {
        Policies = new(PolicySyncSettings.Http, 0, null, null, 1, TimeSpan.FromSeconds(5), TimeSpan.FromSeconds(30), 1e-4),
    };

    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"seed {Seed}: {Shape}, {Weather}, trouble {Trouble.TotalSeconds:0.0} s, faults {Faults}, journal {JournalFailures}, engines {EngineFailures}, apart {Apart}, overlaps {Overlaps}, checkpoint {CheckpointEvery}, snapshot {SnapshotEvery}, slots {Slots}, lease {Lease.TotalSeconds:0.0} s");
}
