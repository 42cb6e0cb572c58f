using Lateral.Core.Learning;
using Lateral.Core.Policies;
using Lateral.Core.Rollouts;
using Lateral.Core.Runs;

namespace Lateral.Actors.Tests;

/// <summary>Several actor systems on loopback as one cluster: what one process does in memory crosses the wire here.</summary>
public sealed class ClusterSpecs : IDisposable
{
    private const string Chatty = """{ "loglevel": "DEBUG" }""";

    private readonly string _directory = Directory.CreateTempSubdirectory("lateral-").FullName;

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    /// <summary>The second line has no two roles of one conversation on one node, but for group entities and their ledger.</summary>
    [Theory]
    [InlineData(NodeRoles.Coordinator | NodeRoles.Learner | NodeRoles.Reward, NodeRoles.Sampler)]
    [InlineData(NodeRoles.Coordinator, NodeRoles.Learner, NodeRoles.Sampler | NodeRoles.Reward)]
    public async Task Run_over_several_nodes_must_do_each_roles_work_on_its_node_and_lose_nothing(params NodeRoles[] nodes)
    {
        var engines = new TestEngines();
        var hosts = new List<RunHost>();
        try
        {
            foreach (var roles in nodes)
            {
                var node = new RunNode(roles, hosts.Count == 0 ? [] : [hosts[0].Address]) { Name = roles.HasFlag(NodeRoles.Sampler) ? "far" : null };
                hosts.Add(await RunHost.StartAsync(Settings(hosts.Count) with { AkkaOverrides = Chatty }, Only(roles, engines), node: node));
            }

            await hosts[0].Completion.WaitAsync(TimeSpan.FromSeconds(120));
            // Asked on the last node, answered by the monitor of the first.
            var status = await hosts[^1].StatusAsync();
            Assert.True(status.Ledger.Finished);
            Assert.Equal((15L, 15L, 0L), (status.Ledger.Issued, status.Ledger.Trained, status.Ledger.Filtered));
            Assert.True(status.Part(Parts.Sampler("far/cpu"))!.Figure(Figures.Slots) > 0);
        }
        finally
        {
            foreach (var host in Enumerable.Reverse(hosts)) await host.DisposeAsync();
        }

        for (var node = 0; node < nodes.Length; node++) AssertNothingRefused(node);
        Assert.Equal([1, 2, 3, 4, 5], engines.Batches.Select(batch => batch.Step));
        Assert.Equal(15, engines.Batches.SelectMany(batch => batch.Groups.Select(group => group.Ordinal)).Distinct().Count());
        Assert.Equal(30, engines.Sampled.Distinct().Count());
        var audit = JournalAudit.Run(Settings(0));
        Assert.Empty(audit.Violations);
        Assert.Equal((15L, 15L), (audit.Ledger.Issued, audit.Ledger.Trained));
    }

    [Fact]
    public async Task Coordinator_that_leaves_must_hand_the_run_over_to_another_with_the_same_journal()
    {
        var engines = new TestEngines();
        var settings = Settings(0) with { Steps = 1000, AkkaOverrides = Chatty };
        var first = await RunHost.StartAsync(settings, Only(NodeRoles.Coordinator, engines), node: new RunNode(NodeRoles.Coordinator, []));
        await using var rest = await RunHost.StartAsync(
            Settings(1) with { Steps = 1000, AkkaOverrides = Chatty }, Only(NodeRoles.All, engines), node: new RunNode(NodeRoles.All & ~NodeRoles.Coordinator, [first.Address]));
        var second = Settings(2) with { Steps = 1000, AkkaOverrides = Chatty };
        foreach (var file in new[] { "journal.db", "snapshots.db" }) File.CreateSymbolicLink(Path.Combine(second.Directory, file), Path.Combine(settings.Directory, file));
        await using var successor = await RunHost.StartAsync(second, Only(NodeRoles.Coordinator, engines), node: new RunNode(NodeRoles.Coordinator, [first.Address]));
        var reached = await Reach(rest, 5);
        await first.DisposeAsync();
        // At most one step was being trained when the first one left.
        await Reach(rest, reached + 7);
        await rest.DisposeAsync();
        await successor.DisposeAsync();

        for (var node = 0; node < 3; node++) AssertNothingRefused(node);
        var audit = JournalAudit.Run(settings);
        Assert.Empty(audit.Violations);
        Assert.Equal(engines.Recorded.Count, engines.Recorded.Distinct().Count());

        static async Task<int> Reach(RunHost host, int version)
        {
            using var deadline = new CancellationTokenSource(TimeSpan.FromSeconds(120));
            while (true)
            {
                try
                {
                    if ((await host.StatusAsync()).Ledger.Version is var now && now >= version) return now;
                }
                catch (Akka.Actor.AskTimeoutException)
                {
                    // The monitor is on its way to the other node.
                }

                await Task.Delay(50, deadline.Token);
            }
        }
    }

    [Fact]
    public async Task Run_must_wait_for_every_role_before_it_begins_and_later_for_nobody()
    {
        var port = FreePort();
        var settings = Settings(0);
        var topology = settings.Topology with
        {
            Roles = settings.Topology.Roles.SetItem("reward", new RoleSettings(Local: false, Nodes: 2)),
            Cluster = settings.Topology.Cluster with { Seeds = [$"127.0.0.1:{port}"], HeartbeatPause = TimeSpan.FromSeconds(1), StableAfter = TimeSpan.FromSeconds(1) },
        };
        var said = new System.Collections.Concurrent.ConcurrentQueue<string>();
        RunSettings Of(int node, int at = 0) => settings with { Directory = Settings(node).Directory, Topology = topology with { Port = at } };
        var waiting = ClusterNode.JoinAsync(Of(0, port), new RunNode(NodeRoles.Coordinator, []), said.Enqueue);
        await using var first = await ClusterNode.JoinAsync(Of(1), new RunNode(NodeRoles.Reward, []));
        await Task.Delay(TimeSpan.FromSeconds(2));
        Assert.False(waiting.IsCompleted);
        Assert.Contains("waiting for 1 x reward: start node CONF --role reward", said);
        var second = await ClusterNode.JoinAsync(Of(2), new RunNode(NodeRoles.Reward, []));
        await using var coordinator = await waiting.WaitAsync(TimeSpan.FromSeconds(30));

        ((Akka.Actor.ExtendedActorSystem)second.System).Abort();
        await using var learner = await ClusterNode.JoinAsync(Of(3), new RunNode(NodeRoles.Learner, [])).WaitAsync(TimeSpan.FromSeconds(30));
    }

    /// <summary>As when machines that may be taken away at any time all are.</summary>
    [Fact]
    public async Task Coordinator_must_go_on_when_most_of_the_cluster_dies_at_once()
    {
        var engines = new TestEngines();
        var settings = Settings(0) with { AkkaOverrides = Chatty };
        settings = settings with { Topology = settings.Topology with { Cluster = settings.Topology.Cluster with { HeartbeatPause = TimeSpan.FromSeconds(1), StableAfter = TimeSpan.FromSeconds(1) } } };
        await using var coordinator = await RunHost.StartAsync(settings, Only(NodeRoles.Coordinator, engines), node: new RunNode(NodeRoles.Coordinator, []));
        var doomed = new List<ClusterNode>();
        for (var node = 1; node <= 3; node++)
        {
            var directory = Settings(node).Directory;
            doomed.Add(await ClusterNode.JoinAsync(settings with { Directory = directory }, new RunNode(NodeRoles.Reward, [coordinator.Address])));
        }

        foreach (var node in doomed) ((Akka.Actor.ExtendedActorSystem)node.System).Abort();
        // Nobody new is let in before the dead are removed, which the smaller part of a cluster may not do.
        await using var next = await RunHost.StartAsync(
            Settings(4) with { Topology = settings.Topology }, Only(NodeRoles.All, engines), node: new RunNode(NodeRoles.All & ~NodeRoles.Coordinator, [coordinator.Address]));
        await coordinator.Completion.WaitAsync(TimeSpan.FromSeconds(120));
        Assert.Equal([1, 2, 3, 4, 5], engines.Recorded);
    }

    /// <summary>A container that is started again has another address. Those that wait for it must neither be removed nor start again.</summary>
    [Fact]
    public async Task Coordinator_that_comes_back_at_another_address_must_find_the_others_alive()
    {
        var engines = new TestEngines();
        var settings = Settings(0) with { AkkaOverrides = Chatty };
        settings = settings with { Topology = settings.Topology with { Cluster = settings.Topology.Cluster with { HeartbeatPause = TimeSpan.FromSeconds(1), StableAfter = TimeSpan.FromSeconds(5) } } };
        var first = await ClusterNode.JoinAsync(settings, new RunNode(NodeRoles.Coordinator, []));
        await using var rest = await RunHost.StartAsync(
            Settings(1) with { Topology = settings.Topology }, Only(NodeRoles.All, engines), node: new RunNode(NodeRoles.All & ~NodeRoles.Coordinator, [first.Address]));
        ((Akka.Actor.ExtendedActorSystem)first.System).Abort();
        await using var second = await RunHost.StartAsync(settings, Only(NodeRoles.Coordinator, engines), node: new RunNode(NodeRoles.Coordinator, [rest.Address]));
        Assert.NotEqual(first.Address, second.Address);
        await second.Completion.WaitAsync(TimeSpan.FromSeconds(120));
        Assert.Equal([1, 2, 3, 4, 5], engines.Recorded);
        // Longer than the others would have waited for the dead one.
        await Task.Delay(settings.Topology.Cluster.StableAfter + TimeSpan.FromSeconds(3));
        Assert.True((await rest.StatusAsync()).Ledger.Finished);
    }

    [Fact]
    public async Task Learner_that_comes_back_at_another_address_must_be_let_in_before_its_predecessor_is_given_up()
    {
        var settings = Settings(0);
        settings = settings with { Topology = settings.Topology with { Cluster = settings.Topology.Cluster with { HeartbeatPause = TimeSpan.FromSeconds(1), StableAfter = TimeSpan.FromMinutes(5) } } };
        await using var coordinator = await ClusterNode.JoinAsync(settings, new RunNode(NodeRoles.Coordinator, []));
        var first = await ClusterNode.JoinAsync(Settings(1) with { Topology = settings.Topology }, new RunNode(NodeRoles.Learner, [coordinator.Address]));
        ((Akka.Actor.ExtendedActorSystem)first.System).Abort();
        await using var second = await ClusterNode.JoinAsync(Settings(2) with { Topology = settings.Topology }, new RunNode(NodeRoles.Learner, [coordinator.Address])).WaitAsync(TimeSpan.FromSeconds(60));
        Assert.NotEqual(first.Address, second.Address);
    }

    private static int FreePort()
    {
        using var listener = new System.Net.Sockets.TcpListener(System.Net.IPAddress.Loopback, 0);
        listener.Start();
        return ((System.Net.IPEndPoint)listener.LocalEndpoint).Port;
    }

    [Fact]
    public async Task Learner_that_restarts_on_its_own_node_must_ask_for_the_steps_after_its_checkpoint()
    {
        var faults = 0;
        var engines = new TestEngines { LearnerFault = step => step == 4 && Interlocked.Increment(ref faults) == 1 };
        await using var coordinator = await RunHost.StartAsync(Settings(0), Only(NodeRoles.Coordinator, engines), node: new RunNode(NodeRoles.Coordinator, []));
        await using var rest = await RunHost.StartAsync(
            Settings(1), Only(NodeRoles.All, engines), node: new RunNode(NodeRoles.All & ~NodeRoles.Coordinator, [coordinator.Address]));
        await coordinator.Completion.WaitAsync(TimeSpan.FromSeconds(120));
        Assert.Equal([1, 2, 3, 4, 5], engines.Recorded);
        var replays = engines.Batches.Where(batch => batch.Step == 3).Select(batch => string.Join(",", batch.Groups.Select(ContentHash.Of))).ToArray();
        Assert.Equal(2, replays.Length);
        Assert.Single(replays.Distinct());
    }

    /// <summary>Two rollouts of 300 kB: neither what was sampled, nor what is scored, nor what is trained fits one message.</summary>
    [Fact]
    public async Task Group_that_is_larger_than_a_message_must_travel_in_parts()
    {
        var engines = new TestEngines();
        await using var coordinator = await RunHost.StartAsync(Settings(0) with { Steps = 2 }, Only(NodeRoles.Coordinator, engines), node: new RunNode(NodeRoles.Coordinator, []));
        var others = Only(NodeRoles.All, engines);
        others = others with { Sampler = device => new LongWinded((TestSampler)engines.ToRunEngines().Sampler(device)) };
        await using var rest = await RunHost.StartAsync(
            Settings(1) with { Steps = 2 }, others, node: new RunNode(NodeRoles.All & ~NodeRoles.Coordinator, [coordinator.Address]));
        await coordinator.Completion.WaitAsync(TimeSpan.FromSeconds(120));
        var trained = engines.Batches.SelectMany(batch => batch.Groups).ToArray();
        Assert.Equal(6, trained.Length);
        Assert.All(trained, group => Assert.Equal([300_000, 300_000], group.Siblings.Select(sibling => sibling.Trajectory.Text.Length)));
    }

    [Fact]
    public async Task Run_in_one_process_must_send_nothing_that_could_not_be_sent_to_another()
    {
        var akka = $$"""{ "actor": { {{OursOnlySerializer.Overrides}} } }""";
        var engines = new TestEngines();
        await using var host = await RunHost.StartAsync(Settings(0) with { AkkaOverrides = akka }, engines.ToRunEngines());
        await host.Completion.WaitAsync(TimeSpan.FromSeconds(120));
        Assert.Empty(OursOnlySerializer.Refused.Distinct());
        Assert.Equal([1, 2, 3, 4, 5], engines.Batches.Select(batch => batch.Step));
    }

    [Fact]
    public async Task Seed_that_is_no_address_must_be_refused_with_an_example()
    {
        var refused = await Assert.ThrowsAsync<RunHostException>(() => RunHost.StartAsync(Settings(0), new TestEngines().ToRunEngines(), node: new RunNode(NodeRoles.Sampler, ["coordinator"])));
        Assert.Contains("'coordinator' is no node's address: it should be host:port", refused.Message, StringComparison.Ordinal);
    }

    /// <summary>A path that is not trusted makes a cluster slow or deaf, and says so only at the level DEBUG.</summary>
    private void AssertNothingRefused(int node)
    {
        var log = File.ReadAllText(Directory.GetFiles(Path.Combine(Settings(node).Directory, "logs")).Single());
        Assert.Contains(" DebugLevel ", log, StringComparison.Ordinal);
        Assert.DoesNotContain("UntrustedMode", log, StringComparison.Ordinal);
        Assert.DoesNotContain("erialization failed", log, StringComparison.Ordinal);
    }

    /// <summary>Each node has a directory of its own; only the policies' is shared.</summary>
    private RunSettings Settings(int node) => TestEngines.Settings(Directory.CreateDirectory(Path.Combine(_directory, $"node-{node}")).FullName, steps: 5);

    /// <summary>Engines of other roles than the node's own fail as soon as they are touched.</summary>
    private RunEngines Only(NodeRoles roles, TestEngines engines)
    {
        var all = engines.ToRunEngines();
        var policies = Directory.CreateDirectory(Path.Combine(_directory, "policies")).FullName;
        return all with
        {
            Learner = roles.HasFlag(NodeRoles.Learner) ? () => new PublishingLearner(all.Learner(), policies) : () => throw Misplaced("a learner"),
            Sampler = roles.HasFlag(NodeRoles.Sampler) ? all.Sampler : _ => throw Misplaced("a sampler"),
            PolicyCache = roles.HasFlag(NodeRoles.Sampler) ? new SharedDirectory(policies) : new SharedDirectory("nowhere"),
            Rewards = roles.HasFlag(NodeRoles.Reward) ? all.Rewards : all.Rewards.Clear(),
        };

        InvalidOperationException Misplaced(string engine) => new($"{engine} was started on a node with the roles {roles}");
    }

    private sealed class LongWinded(TestSampler inner) : ISampler
    {
        public SamplerStatistics Statistics => inner.Statistics;

        public void Submit(SampleTask task) => inner.Submit(task);

        public void Cancel(long group) => inner.Cancel(group);

        public Task SwapAsync(PolicyManifest manifest, string path) => inner.SwapAsync(manifest, path);

        public async Task<IReadOnlyList<Trajectory>> NextFinishedAsync(CancellationToken cancellation) =>
            [.. (await inner.NextFinishedAsync(cancellation)).Select(sampled => sampled with { Text = new string('x', 300_000) })];

        public ValueTask DisposeAsync() => inner.DisposeAsync();
    }

    /// <summary>Writes each version's payload, which is its hash, to a directory.</summary>
    private sealed class PublishingLearner(ILearner inner, string directory) : ILearner
    {
        public async Task<(PolicyManifest Policy, Checkpoint Checkpoint)> PrepareBaseAsync(IProgress<WarmupProgress> progress, CancellationToken cancellation)
        {
            var prepared = await inner.PrepareBaseAsync(progress, cancellation);
            await PublishAsync(prepared.Policy);
            return prepared;
        }

        public async Task<StepReport> TrainAsync(LearnerBatch batch, CancellationToken cancellation)
        {
            var report = await inner.TrainAsync(batch, cancellation);
            await PublishAsync(report.Policy);
            return report;
        }

        public Task LoadAsync(Checkpoint checkpoint, CancellationToken cancellation) => inner.LoadAsync(checkpoint, cancellation);

        public Task<Checkpoint> CheckpointAsync(CancellationToken cancellation) => inner.CheckpointAsync(cancellation);

        public ValueTask DisposeAsync() => inner.DisposeAsync();

        private Task PublishAsync(PolicyManifest policy) => File.WriteAllTextAsync(Path.Combine(directory, policy.Location), policy.Hash);
    }

    private sealed class SharedDirectory(string directory) : IPolicyCache
    {
        public async Task<string> FetchAsync(PolicyManifest manifest, CancellationToken cancellation)
        {
            var path = Path.Combine(directory, manifest.Location);
            var payload = await File.ReadAllTextAsync(path, cancellation);
            return payload == manifest.Hash ? path : throw new PolicyUnavailableException($"{path} holds {payload}, the manifest says {manifest.Hash}");
        }
    }
}
