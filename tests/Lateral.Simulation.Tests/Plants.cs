using Lateral.Actors.Runs;
using Lateral.Core.Runs;
using Lateral.Simulation.Tests.Network;

namespace Lateral.Simulation.Tests;

/// <summary>Plants the bugs that are made of messages; the others are the database's and the engines' own.</summary>
internal static class Plants
{
    public static void Put(Plant plant, Wire wire, World world)
    {
        switch (plant)
        {
            case Plant.NoFencing:
                wire.Arriving = message => message switch
                {
                    RunProtocol.LearnerIdle idle => idle with { Epoch = world.Ledger.Fold.Epoch },
                    RunProtocol.StepCompleted step => step with { Epoch = world.Ledger.Fold.Epoch },
                    RunProtocol.CheckpointCompleted checkpoint => checkpoint with { Epoch = world.Ledger.Fold.Epoch },
                    _ => message,
                };
                break;
            case Plant.SaidOnce:
                var said = new HashSet<IRunEvent>();
                wire.Leaves = message => message is not RunProtocol.GroupFinished finished || said.Add(finished.Outcome);
                break;
        }
    }
}
