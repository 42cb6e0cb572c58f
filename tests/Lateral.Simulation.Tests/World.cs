using Lateral.Core.Rewards;
using Lateral.Core.Rollouts;
using Lateral.Simulation.Tests.Checks;
using Lateral.Simulation.Tests.Machine;
using Lateral.Simulation.Tests.Network;
using Lateral.Simulation.Tests.Storage;

namespace Lateral.Simulation.Tests;

/// <summary>What every engine of a run shares: the stage, what is durable, and the checks.</summary>
internal sealed record World(Scenario Scenario, Plant Plant, Stage Stage, Disk Disk, Journal Journal, LedgerWatch Ledger, Verdicts Verdicts)
{
    /// <summary>Every value a verifier really gave, by rollout and text.</summary>
    public Dictionary<(RolloutId Id, string Text), RewardOutcome> Given { get; } = [];

    /// <summary>Groups that had their one passing reward fault of a deterministic run.</summary>
    public HashSet<long> Stumbled { get; } = [];

    /// <summary>Rollouts that were sampled at least once; kept for the plant that samples them differently again.</summary>
    public HashSet<RolloutId> Sampled { get; } = [];

    /// <summary>Faults happen until the trouble is over.</summary>
    public bool IsTroubled => Stage.Elapsed < Scenario.Trouble;

    public bool Fails(double probability) => IsTroubled && Stage.Dice.Chance(probability);

    /// <summary>A result of a process's engine after some virtual time; never, if the process or the engine ends before.</summary>
    public Task<T> Later<T>(Process process, Func<bool> goesOn, TimeSpan after, Func<T> result)
    {
        // Awaits go on where the result is set, which is the stage's thread.
        var source = new TaskCompletionSource<T>();
        Stage.At(after, () =>
        {
            if (!process.Alive || !goesOn()) return;
            try
            {
                source.SetResult(result());
            }
            catch (Exception failure)
            {
                source.SetException(failure);
            }
        });
        return source.Task;
    }
}

/// <summary>A bug to plant, always on the test's side of a port or of the wire.</summary>
internal enum Plant
{
    None,

    /// <summary>The journal acknowledges some writes that it never makes.</summary>
    AcknowledgedUnwritten,

    /// <summary>The journal has no unique key, so a superseded ledger goes on writing.</summary>
    NoUniqueKey,

    /// <summary>The ledger takes whatever epoch a learner's report has for the current one.</summary>
    NoFencing,

    /// <summary>A verifier that fails yields 0 instead of a fault.</summary>
    FabricatedReward,

    /// <summary>A rollout that is sampled again comes out differently.</summary>
    UnseededSampler,

    /// <summary>A group's outcome is said once and not repeated.</summary>
    SaidOnce,
}
