using System.Collections.Immutable;
using Akka.Actor;
using Akka.TestKit;
using Akka.TestKit.Xunit2;
using Lateral.Actors.Learning;
using Lateral.Actors.Policies;
using Lateral.Actors.Runs;
using Lateral.Core.Learning;
using Lateral.Core.Policies;
using Lateral.Core.Rewards;
using Lateral.Core.Rollouts;
using Lateral.Core.Runs;
using static Lateral.Actors.Learning.GradientProtocol;
using static Lateral.Actors.Rollouts.GroupProtocol;

namespace Lateral.Actors.Tests;

/// <summary>The learner's ranks and who gives them shards: whatever is lost on the way, every shard is computed, and counts once.</summary>
public sealed class RankSpecs : TestKit
{
    private static readonly TimeSpan Soon = TimeSpan.FromSeconds(10);
    private static readonly PolicyManifest Weights = new(1, 2, new string('a', 64), "", PayloadKind.Full, 10, "policies/v2.safetensors");

    private readonly SharedGradients _shared = new(3, TimeSpan.FromSeconds(60), TimeProvider.System);

    public RankSpecs()
        : base(OursOnlySerializer.Configuration)
    {
    }

    [Fact]
    public void Idle_ranks_must_be_given_the_open_shards_of_every_round()
    {
        var dispatcher = Dispatcher();
        var (a, b) = (CreateTestProbe(), CreateTestProbe());
        dispatcher.Tell(new RankReady("a", 0), a);
        a.ExpectNoMsg(200);
        var round = Begin(step: 3, shards: 3);
        var first = a.ExpectMsg<ShardGranted>(Soon);
        Assert.Equal((0L, new GradientKey(1, 3, 0), 0, Weights), (first.Request, first.Update, first.Shard, first.Weights));
        Assert.Equal(Batch(3).Groups.Select(group => new BatchGroup(group.Ordinal, ContentHash.Of(group))), first.Batch.Groups);
        dispatcher.Tell(new RankReady("b", 0), b);
        Assert.Equal(1, b.ExpectMsg<ShardGranted>(Soon).Shard);
        round.TryContribute(0, [1], Report());
        dispatcher.Tell(new RankReady("a", 1), a);
        Assert.Equal((1L, 2), Granted(a));
        round.TryContribute(2, [1], Report());
        dispatcher.Tell(new RankReady("a", 2), a);
        a.ExpectNoMsg(200);
        Begin(step: 4, shards: 1);
        Assert.Equal((2L, 0), Granted(a));
    }

    [Fact]
    public void Grant_that_was_lost_must_be_sent_again_and_not_another_one()
    {
        var dispatcher = Dispatcher();
        var rank = CreateTestProbe();
        Begin(step: 3, shards: 3);
        for (var i = 0; i < 3; i++)
        {
            dispatcher.Tell(new RankReady("a", 5), rank);
            Assert.Equal((5L, 0), Granted(rank));
        }
    }

    [Fact]
    public void Shard_of_a_rank_that_dies_or_begins_anew_must_go_to_the_next()
    {
        var dispatcher = Dispatcher();
        var (a, b) = (CreateTestProbe(), CreateTestProbe());
        Begin(step: 3, shards: 1);
        dispatcher.Tell(new RankReady("a", 0), a);
        Assert.Equal((0L, 0), Granted(a));
        dispatcher.Tell(new RankReady("b", 0), b);
        b.ExpectNoMsg(200);
        Sys.Stop(a);
        Assert.Equal((0L, 0), Granted(b));
        var again = CreateTestProbe();
        dispatcher.Tell(new RankReady("b", 0), again);
        Assert.Equal((0L, 0), Granted(again));
    }

    [Fact]
    public void Rank_must_fetch_what_the_shard_needs_compute_send_and_ask_for_more()
    {
        var (rank, probes) = Rank(new Engine());
        Assert.Equal((0L, 1L), Serve(rank, probes, Grant(0)));
        Assert.Equal((new GradientKey(1, 3, 0), 1, 7f), Assert.Single(probes.Sink.Sent));
        // The next shard is of the same batch, which is not fetched again.
        probes.Gradients.Send(rank, Grant(1) with { Shard = 2 });
        probes.Cache.ExpectMsg<PolicyCacheActor.EnsurePolicy>(Soon);
        probes.Cache.Reply(new PolicyCacheActor.PolicyReady(Weights, "here"));
        Assert.Equal(2L, Ready(probes, atLeast: 2));
        probes.Groups.ExpectNoMsg(100);
        Assert.Equal(2, probes.Sink.Sent.Count);
    }

    [Fact]
    public void Rank_must_ask_for_another_shard_when_the_learner_is_gone()
    {
        var (rank, probes) = Rank(new Engine());
        probes.Sink.Fails = true;
        Watch(rank);
        Assert.Equal((0L, 1L), Serve(rank, probes, Grant(0)));
        Assert.Empty(probes.Sink.Sent);
        // An answer to what it asked before is too late.
        probes.Gradients.Send(rank, Grant(0));
        probes.Cache.ExpectNoMsg(200);
    }

    [Fact]
    public void Rank_whose_engine_fails_must_say_why_and_end()
    {
        var (rank, probes) = Rank(new Engine { Fails = true });
        Watch(rank);
        probes.Gradients.Send(rank, Grant(0));
        probes.Cache.ExpectMsg<PolicyCacheActor.EnsurePolicy>(Soon);
        probes.Cache.Reply(new PolicyCacheActor.PolicyReady(Weights, "here"));
        AnswerGroups(probes);
        Assert.Contains("device lost", ((RunProtocol.PartFailed)probes.Monitor.FishForMessage(m => m is RunProtocol.PartFailed, Soon)).Failure.Reason, StringComparison.Ordinal);
        ExpectTerminated(rank, Soon);
    }

    private static LearnerBatch Batch(int step) => new(1, step, 2, [Group(0), Group(1)]);

    private static ScoredGroup Group(long ordinal) => new(ordinal,
        [new ScoredTrajectory(new Trajectory(new RolloutId(ordinal, 0), [1], [2], [0], [-.5f], [0], .1f, [new PolicySpan(0, 2, new string('a', 64))], "2"), 1, ImmutableSortedDictionary<string, double>.Empty)]);

    private static ShardReport Report() => new(8, []);

    private static (long Request, int Shard) Granted(TestProbe rank)
    {
        var granted = rank.ExpectMsg<ShardGranted>(Soon);
        return (granted.Request, granted.Shard);
    }

    private static ShardGranted Grant(long request)
    {
        var batch = Batch(3);
        return new(request, new GradientKey(1, 3, 0), 1, new BatchFormed(3, [.. batch.Groups.Select(group => new BatchGroup(group.Ordinal, ContentHash.Of(group)))]), 2, 3, 1, Weights, []);
    }

    private static (long Before, long After) Serve(IActorRef rank, Probes probes, ShardGranted grant)
    {
        var before = Ready(probes, atLeast: grant.Request);
        probes.Gradients.Send(rank, grant);
        probes.Cache.ExpectMsg<PolicyCacheActor.EnsurePolicy>(Soon);
        probes.Cache.Reply(new PolicyCacheActor.PolicyReady(Weights, "here"));
        AnswerGroups(probes);
        return (before, Ready(probes, atLeast: grant.Request + 1));
    }

    private static void AnswerGroups(Probes probes)
    {
        for (var i = 0; i < 2; i++)
        {
            var asked = probes.Groups.ExpectMsg<GetGroup>(Soon);
            probes.Groups.Reply(new GroupContent(asked.Group, 1, Group(asked.Group).Siblings));
        }
    }

    private static long Ready(Probes probes, long atLeast) => ((RankReady)probes.Gradients.FishForMessage(m => m is RankReady ready && ready.Request >= atLeast, Soon)).Request;

    private IActorRef Dispatcher() => Sys.ActorOf(Props.Create(() => new GradientDispatcherActor(_shared)));

    private GradientRound Begin(int step, int shards) => (GradientRound)_shared.Begin(new GradientUpdate(Batch(step), 0, shards, 1, Weights, null));

    private (IActorRef Rank, Probes Probes) Rank(Engine engine)
    {
        var probes = new Probes(CreateTestProbe(), CreateTestProbe(), CreateTestProbe(), CreateTestProbe(), CreateTestProbe(), new Sink());
        var refs = new RankRefs(probes.Gradients, probes.Groups, probes.Cache, probes.Publisher, probes.Monitor);
        var rank = Sys.ActorOf(Props.Create(() => new RankActor("10.0.0.8/cpu", refs, () => engine, _ => probes.Sink, TimeSpan.FromSeconds(30))));
        probes.Publisher.ExpectMsg<PolicyPublisherActor.GetPolicySource>(Soon);
        probes.Publisher.Reply(new PolicyPublisherActor.PolicySourceIs(PolicySource.RunDirectory));
        return (rank, probes);
    }

    private sealed record Probes(TestProbe Gradients, TestProbe Groups, TestProbe Cache, TestProbe Publisher, TestProbe Monitor, Sink Sink);

    private sealed class Sink : IGradientSink
    {
        public List<(GradientKey Update, int Shard, float First)> Sent { get; } = [];

        public bool Fails { get; set; }

        public Task<bool> SendAsync(GradientKey update, int shard, ReadOnlyMemory<float> gradient, ShardReport report, CancellationToken cancellation)
        {
            if (Fails) throw new IOException("nobody there");
            Sent.Add((update, shard, gradient.Span[0]));
            return Task.FromResult(true);
        }
    }

    private sealed class Engine : IGradientRank
    {
        public bool Fails { get; init; }

        public Task LoadAsync(PolicyManifest weights, string path, CancellationToken cancellation) => Task.CompletedTask;

        public Task<(float[] Gradient, ShardReport Report)> ComputeAsync(GradientUpdate update, int shard, CancellationToken cancellation) =>
            Fails ? throw new InvalidOperationException("device lost") : Task.FromResult((new float[] { 7 }, Report()));

        public ValueTask DisposeAsync() => ValueTask.CompletedTask;
    }
}
