using Akka.Actor;
using Lateral.Actors;
using Lateral.Core.Runs;

namespace Lateral.Node.Sessions;

/// <summary>The actors' host as a session sees it.</summary>
internal sealed class ActorRunHost(RunHost host) : IRunHost
{
    public Task Completion => host.Completion;

    public static async Task<ActorRunHost> StartAsync(ClusterNode cluster, RunSettings settings, RunEngines engines) => new(await RunHost.StartAsync(cluster, settings, engines));

    public async Task<RunStatus> StatusAsync()
    {
        try
        {
            return await host.StatusAsync();
        }
        catch (AskTimeoutException silent)
        {
            throw new TimeoutException("the run's ledger does not answer", silent);
        }
    }

    public Task<int?> StopAsync() => host.StopAsync();

    public ValueTask DisposeAsync() => host.DisposeAsync();
}
