using Akka.Configuration;
using Akka.Dispatch;

namespace Lateral.Simulation.Tests.Machine;

/// <summary>Runs no mailbox itself: each goes onto the stage's list, from which the seed picks. One message a run.</summary>
internal sealed class SimulationDispatcher : MessageDispatcher
{
    private readonly Stage _stage;

    public SimulationDispatcher(MessageDispatcherConfigurator configurator, Stage stage)
        : base(configurator) => (_stage, Throughput) = (stage, 1);

    protected override void ExecuteTask(IRunnable run) => _stage.Ready(run);

    protected override void Shutdown()
    {
    }
}

/// <summary>Named in the configuration; every dispatcher of a system shares its stage through the scheduler.</summary>
internal sealed class SimulationDispatcherConfigurator : MessageDispatcherConfigurator
{
    private readonly SimulationDispatcher _dispatcher;

    public SimulationDispatcherConfigurator(Config config, IDispatcherPrerequisites prerequisites)
        : base(config, prerequisites) => _dispatcher = new SimulationDispatcher(this, ((SimulationScheduler)prerequisites.Scheduler).Stage);

    public override MessageDispatcher Dispatcher() => _dispatcher;
}
