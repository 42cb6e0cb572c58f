using System.Collections.Immutable;
using Akka.Actor;
using Akka.Actor.Setup;
using Akka.Cluster;
using Lateral.Actors.Hosting;
using Lateral.Core.Runs;
using Lateral.Core.Security;

namespace Lateral.Actors;

/// <summary>
/// This process as a member of a run's cluster. The coordinator of a run that has not begun waits until every role has as many
/// processes as it needs, at most for <c>topology.cluster.patience</c>, and says who is missing. Later nobody is waited for: a
/// node that is started again must not depend on others that are gone.
/// </summary>
public sealed class ClusterNode : IAsyncDisposable
{
    private static readonly TimeSpan Look = TimeSpan.FromSeconds(1), Farewell = TimeSpan.FromSeconds(10);

    private readonly NodeIdentity? _identity;
    private readonly MeetingPlace _place;
    private readonly BrokenHandshakes? _broken;
    private bool _leaving;

    private ClusterNode(ActorSystem system, Journal? journal, RunNode node, NodeIdentity? identity, MeetingPlace place)
    {
        (System, Journal, Node, _identity, _place) = (system, journal, node, identity, place);
        if (identity is not null) _broken = BrokenHandshakes.Survive(system);
        Removed = system.WhenTerminated.ContinueWith(_ => !_leaving, CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
    }

    /// <summary>Where other nodes reach this one, as <c>host:port</c>.</summary>
    public string Address => Text(Cluster.Get(System).SelfAddress);

    /// <summary>Whether the others are gone but for this node, or took it for gone: true = it was removed without having left.</summary>
    public Task<bool> Removed { get; }

    internal ActorSystem System { get; }

    internal Journal? Journal { get; }

    internal RunNode Node { get; private init; }

    /// <summary>Where the user is told what no monitor can tell.</summary>
    internal Action<string> Say { get; private init; } = _ => { };

    /// <param name="say">told whom the node waits for, whenever that changes</param>
    /// <exception cref="RunHostException">journal or port cannot be used, the node is refused, or the cluster does not form in time</exception>
    public static async Task<ClusterNode> JoinAsync(RunSettings settings, RunNode? node = null, Action<string>? say = null, CancellationToken cancellation = default)
    {
        node ??= RunNode.Alone;
        var journal = node.Has(NodeRoles.Coordinator) ? Journal.Of(settings) : null;
        var setup = ActorSystemSetup.Create(BootstrapSetup.Create().WithConfig(AkkaConfiguration.For(settings, node, journal)));
        var begins = journal is { Exists: false };
        if (journal is not null)
        {
            journal.Probe();
            setup = setup.And(journal.ToSetup());
        }

        var identity = settings.Tls is { } tls ? NodeIdentity.Load(tls) : null;
        if (identity is not null) setup = setup.And(RemotingTls.Of(identity));
        var system = CreateSystem(setup, settings.Topology);
        var self = Cluster.Get(system).SelfAddress;
        // Unique in the run, so that two samplers of one name never take each other's leases.
        if (node.Name is null && !settings.Topology.Cluster.IsAlone) node = node with { Name = $"{self.Host}:{self.Port}" };
        ClusterNode? joining = null;
        try
        {
            joining = new ClusterNode(system, journal, node, identity, MeetingPlace.Of(settings.Topology.Cluster, node, self)) { Say = say ?? (_ => { }) };
            await joining.WaitAsync(settings.Topology, begins, cancellation);
            return joining;
        }
        catch
        {
            if (joining is not null) await joining.DisposeAsync();
            else await system.Terminate();
            throw;
        }
    }

    /// <summary>Leaves the cluster, handing over what others can go on with. Idempotent.</summary>
    public async ValueTask DisposeAsync()
    {
        _leaving = true;
        _place.Dispose();
        _broken?.End();
        await CoordinatedShutdown.Get(System).Run(CoordinatedShutdown.ActorSystemTerminateReason.Instance);
        _identity?.Dispose();
    }

    /// <summary>Waits until the other nodes, and those that are just joining, have seen that the run is over and have left, but not for long.</summary>
    internal async Task OutliveOthersAsync()
    {
        var cluster = Cluster.Get(System);
        using var deadline = new CancellationTokenSource(Farewell);
        while (cluster.State.Members.Any(member => member.Status is (MemberStatus.Joining or MemberStatus.WeaklyUp or MemberStatus.Up) && !member.HasRole("coordinator")) && !deadline.IsCancellationRequested)
            await Task.Delay(TimeSpan.FromMilliseconds(100), deadline.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    /// <param name="begins">the run waits for this node to begin it</param>
    private async Task WaitAsync(TopologySettings topology, bool begins, CancellationToken cancellation)
    {
        var cluster = Cluster.Get(System);
        var up = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        cluster.RegisterOnMemberUp(up.SetResult);
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        deadline.CancelAfter(topology.Cluster.Patience);
        var (tried, said) = (ImmutableArray<Address>.Empty, "");
        while (!up.Task.IsCompleted || (begins && Absent(cluster, topology).Count > 0))
        {
            RequireCompatible(cluster);
            if (Removed.IsCompleted) throw new RunHostException($"the nodes at {_place.Name} have not let this one in; see logs");
            SucceedPredecessor(cluster, topology);

            var found = await _place.FindAsync(cancellation);
            if (!found.IsEmpty && !found.SequenceEqual(tried) && cluster.SelfMember.Status is not (MemberStatus.Joining or MemberStatus.WeaklyUp))
            {
                tried = found;
                cluster.JoinSeedNodes(found);
            }

            var waiting = Missing(cluster, topology);
            if (waiting != said && !topology.Cluster.IsAlone) Say(said = waiting);
            await Task.WhenAny(up.Task.IsCompleted ? Removed : up.Task, Removed, Task.Delay(Look, deadline.Token));
            cancellation.ThrowIfCancellationRequested();
            if (deadline.IsCancellationRequested)
                throw new RunHostException($"the node at {Address} waited {topology.Cluster.Patience.TotalSeconds:0} s (topology.cluster.patience): {Missing(cluster, topology)}; see logs");
        }

        RequireCompatible(cluster);
        if (!topology.Cluster.IsAlone && Absent(cluster, topology).Count > 0 && Missing(cluster, topology) is var missing && missing != said) Say(missing);
    }

    /// <summary>
    /// A run's only coordinator or its learner was started again at another address: the silent one is declared dead. Nobody is let in
    /// while a member is silent, and without a coordinator the others would soon take themselves for the part that has to go.
    /// Were the old one alive after all, journal and epoch would refuse it.
    /// </summary>
    private void SucceedPredecessor(Cluster cluster, TopologySettings topology)
    {
        foreach (var role in Node.RoleNames.Where(role => role is "coordinator" or "learner" && topology.Roles.GetValueOrDefault(role) is null or { Nodes: 1 }))
        {
            foreach (var predecessor in cluster.State.Unreachable.Where(member => member.HasRole(role) && member.Status != MemberStatus.Down && !member.Address.Equals(cluster.SelfAddress)))
            {
                cluster.Down(predecessor.Address);
                Say($"the {role} at {Text(predecessor.Address)} is silent: this one takes its place");
            }
        }
    }

    private static void RequireCompatible(Cluster cluster)
    {
        if (RunCompatibility.Refusal(cluster.SelfMember, cluster.State.Members) is { } refusal) throw new RunHostException(refusal);
    }

    private string Missing(Cluster cluster, TopologySettings topology)
    {
        var members = cluster.State.Members;
        if (members.IsEmpty) return $"waiting for a node of the run at {_place.Name}";
        var missing = Absent(cluster, topology);
        return missing.Count == 0
            ? $"waiting for the {members.Count} nodes to agree"
            : $"waiting for {string.Join(", ", missing.Select(role => $"{role.Count} x {role.Key}"))}: start {string.Join(" and ", missing.Select(role => $"node CONF --role {role.Key}"))}";
    }

    private static string Text(Address address) => $"{address.Host}:{address.Port}";

    private static List<(string Key, int Count)> Absent(Cluster cluster, TopologySettings topology) =>
        [.. topology.Roles.Select(role => (role.Key, Count: role.Value.Nodes - cluster.State.Members.Count(member => member.HasRole(role.Key)))).Where(role => role.Count > 0)];

    private static ActorSystem CreateSystem(ActorSystemSetup setup, TopologySettings topology)
    {
        try
        {
            return ActorSystem.Create("lateral", setup);
        }
        catch (Exception failure) when (failure.GetBaseException() is System.Net.Sockets.SocketException socket)
        {
            throw new RunHostException(
                $"topology.port = {topology.Port} on {topology.Host} cannot be used: {socket.Message}; set topology.port = 0 for any free port, or stop what holds it", failure);
        }
    }
}
