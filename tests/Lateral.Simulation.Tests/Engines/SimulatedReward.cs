using System.Collections.Immutable;
using Lateral.Core.Rewards;
using Lateral.Simulation.Tests.Machine;
using Lateral.Simulation.Tests.Network;

namespace Lateral.Simulation.Tests.Engines;

/// <summary>
/// A verifier whose value is a function of the completion and whose failures are not: it throws, answers NaN, hangs past its
/// deadline, or says so itself. For poisoned groups it always does. A deterministic run's group stumbles at most once, because
/// a third fault would rightly cost the group.
/// </summary>
internal sealed class SimulatedReward(Process process, World world) : IReward
{
    public ValueTask<RewardOutcome> ScoreAsync(RewardRequest request, CancellationToken cancellation)
    {
        var shape = world.Scenario.Shape;
        var poisoned = shape.PoisonEvery > 0 && request.Id.Group % shape.PoisonEvery == shape.PoisonEvery - 1;
        var stumbles = !poisoned && world.Fails(world.Scenario.EngineFailures * 2) && (!shape.Deterministic || world.Stumbled.Add(request.Id.Group));
        if (stumbles && world.Stage.Dice.Chance(.25)) return new ValueTask<RewardOutcome>(new TaskCompletionSource<RewardOutcome>().Task);
        var time = world.Stage.Dice.Between(TimeSpan.FromMilliseconds(1), TimeSpan.FromMilliseconds(300));
        return new ValueTask<RewardOutcome>(world.Later(process, () => true, time, () => poisoned || stumbles ? Fail() : Give(request)));
    }

    private RewardOutcome Give(RewardRequest request)
    {
        var number = request.Completion.Aggregate(17UL, (hash, letter) => Dice.Scramble(hash ^ letter)) % 8;
        RewardOutcome outcome = number == 7 ? new RewardOutcome.ModelFault("unreadable") : new RewardOutcome.Scored(number / 4.0, ImmutableSortedDictionary<string, double>.Empty);
        world.Given[(request.Id, request.Completion)] = outcome;
        return outcome;
    }

    private RewardOutcome Fail()
    {
        if (world.Plant == Plant.FabricatedReward) return new RewardOutcome.Scored(0, ImmutableSortedDictionary<string, double>.Empty);
        return world.Stage.Dice.Below(3) switch
        {
            0 => throw new IOException("the sandbox is gone"),
            1 => new RewardOutcome.Scored(double.NaN, ImmutableSortedDictionary<string, double>.Empty),
            _ => new RewardOutcome.InfraFault("no sandbox"),
        };
    }
}
