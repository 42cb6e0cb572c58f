using System.Collections.Immutable;
using Akka.Actor;
using Akka.Cluster.Sharding;
using Akka.TestKit;
using Akka.TestKit.Xunit2;
using Lateral.Actors.Learning;
using Lateral.Actors.Policies;
using Lateral.Actors.Rewards;
using Lateral.Actors.Rollouts;
using Lateral.Actors.Runs;
using Lateral.Actors.Sampling;
using Lateral.Core.Learning;
using Lateral.Core.Policies;
using Lateral.Core.Rewards;
using Lateral.Core.Rollouts;
using Lateral.Core.Runs;
using Microsoft.Extensions.Time.Testing;
using static Lateral.Actors.Rollouts.GroupProtocol;
using static Lateral.Actors.Runs.RunProtocol;
using static Lateral.Actors.Sampling.SamplingProtocol;

namespace Lateral.Actors.Tests;

/// <summary>Each actor alone, between probes; every message of ours is written to bytes and read again on its way.</summary>
public sealed class ActorSpecs : TestKit
{
    private static readonly ImmutableSortedDictionary<string, double> NoMetrics = ImmutableSortedDictionary<string, double>.Empty;
    private static readonly string Zero = new('0', 64);
    private static readonly TimeSpan Soon = TimeSpan.FromSeconds(10);

    private readonly TestEngines _engines = new();
    private RunSettings _settings = TestEngines.Settings("", steps: 4, groups: 2, eta: 0);
    private readonly TestProbe _monitor;

    public ActorSpecs()
        : base(OursOnlySerializer.Configuration) => _monitor = CreateTestProbe();

    [Fact]
    public void Run_must_issue_groups_only_after_the_base_and_order_a_step_from_completion_to_retirement()
    {
        var (run, groups, dispatcher) = StartRun("order");
        var learner = CreateTestProbe();
        run.Tell(new LearnerHello("a"), learner);
        Assert.Null(learner.ExpectMsg<LearnerAssignment>(Soon).Base);
        groups.ExpectNoMsg(200);
        CompleteBase(run, learner);
        Assert.Equal([0L, 1L], groups.ReceiveN(2, Soon).Cast<OpenGroup>().Select(open => open.Group));
        dispatcher.ExpectMsg<PoliciesPublished>(Soon);

        run.Tell(new LearnerIdle(1, 0), learner);
        run.Tell(new GroupFinished(new GroupCompleted(1, 0, 0, Zero)));
        learner.ExpectNoMsg(200);
        run.Tell(new GroupFinished(new GroupCompleted(0, 0, 0, Zero)));
        Assert.Equal([0L, 1L], learner.ExpectMsg<TrainBatch>(Soon).Batch.Groups.Select(group => group.Ordinal));
        run.Tell(new StepCompleted(1, Report(1, 1)), learner);
        Assert.Equal(1, learner.ExpectMsg<StepAccepted>(Soon).Step);
        var after = groups.ReceiveN(4, Soon);
        Assert.Equal([0L, 1L], after.OfType<RetireGroup>().Select(retire => retire.Group));
        Assert.Equal([2L, 3L], after.OfType<OpenGroup>().Select(open => open.Group));
        // The reply was lost: the same report is recognised, not applied again.
        run.Tell(new StepCompleted(1, Report(1, 1)), learner);
        Assert.Equal(1, learner.ExpectMsg<StepAccepted>(Soon).Step);
    }

    [Fact]
    public void Run_must_fence_the_learner_that_was_replaced()
    {
        var (run, _, _) = StartRun("fence");
        var (old, young) = (CreateTestProbe(), CreateTestProbe());
        run.Tell(new LearnerHello("old"), old);
        old.ExpectMsg<LearnerAssignment>(Soon);
        run.Tell(new LearnerHello("young"), young);
        Assert.Equal(2, young.ExpectMsg<LearnerAssignment>(Soon).Epoch);
        run.Tell(new StepCompleted(1, Report(1, 1)), old);
        Assert.Equal(1, old.ExpectMsg<LearnerFenced>(Soon).Epoch);
    }

    [Fact]
    public void Ledger_that_was_started_again_must_go_on_with_the_learner_that_has_its_epoch()
    {
        var (run, groups, _) = StartRun("again");
        var learner = CreateTestProbe();
        run.Tell(new LearnerHello("a"), learner);
        learner.ExpectMsg<LearnerAssignment>(Soon);
        CompleteBase(run, learner);
        groups.ReceiveN(2, Soon);
        Watch(run);
        run.Tell(PoisonPill.Instance);
        ExpectTerminated(run, Soon);

        var (again, _, _) = StartRun("again");
        again.Tell(new GroupFinished(new GroupCompleted(0, 0, 0, Zero)));
        again.Tell(new GroupFinished(new GroupCompleted(1, 0, 0, Zero)));
        // A living learner says no second hello, only what it waits for.
        again.Tell(new LearnerIdle(1, 0), learner);
        Assert.Equal(1, learner.ExpectMsg<TrainBatch>(Soon).Batch.Step);
    }

    [Fact]
    public void Ledger_that_learns_from_the_learner_of_a_step_it_does_not_know_must_read_its_journal_again()
    {
        var (run, groups, _) = StartRun("superseded");
        var learner = CreateTestProbe();
        run.Tell(new LearnerHello("a"), learner);
        learner.ExpectMsg<LearnerAssignment>(Soon);
        CompleteBase(run, learner);
        groups.ReceiveN(2, Soon);
        run.Tell(new GroupFinished(new GroupCompleted(0, 0, 0, Zero)));
        run.Tell(new GroupFinished(new GroupCompleted(1, 0, 0, Zero)));
        run.Tell(new LearnerIdle(1, 0), learner);
        learner.ExpectMsg<TrainBatch>(Soon);

        var (second, _, _) = StartRun("superseded");
        _monitor.FishForMessage(m => m is LedgerStatus { InBatch: 2 } && _monitor.LastSender.Equals(second), Soon);
        run.Tell(new StepCompleted(1, Report(1, 1)), learner);
        learner.ExpectMsg<StepAccepted>(Soon);
        run.Tell(PoisonPill.Instance);
        second.Tell(new LearnerIdle(1, 1), learner);
        _monitor.FishForMessage(m => m is LedgerStatus { Version: 1 } && _monitor.LastSender.Equals(second), Soon);
    }

    [Fact]
    public void Run_must_recover_its_ledger_and_open_running_groups_again()
    {
        var (run, groups, _) = StartRun("recover");
        var learner = CreateTestProbe();
        run.Tell(new LearnerHello("a"), learner);
        learner.ExpectMsg<LearnerAssignment>(Soon);
        CompleteBase(run, learner);
        groups.ReceiveN(2, Soon);
        run.Tell(new GroupFinished(new GroupCompleted(0, 0, 0, Zero)));
        _monitor.FishForMessage(m => m is LedgerStatus { Waiting: 1 }, Soon);
        Watch(run);
        run.Tell(PoisonPill.Instance);
        ExpectTerminated(run, Soon);

        var (_, again, dispatcher) = StartRun("recover");
        Assert.Equal(1, again.ExpectMsg<OpenGroup>(Soon).Group);
        Assert.Equal(0, Assert.Single(dispatcher.ExpectMsg<PoliciesPublished>(Soon).Policies).Version);
        // On its next tick, with nothing new to say.
        _monitor.FishForMessage(m => m is LedgerStatus { Issued: 2, Running: 1, Waiting: 1 }, Soon);
        _monitor.FishForMessage(m => m is LedgerStatus { Issued: 2, Running: 1, Waiting: 1 }, Soon);
    }

    [Fact]
    public void Group_must_ask_for_what_it_lacks_journal_before_acknowledging_and_repeat_until_retired()
    {
        var (run, dispatcher, pool, parent) = (CreateTestProbe(), CreateTestProbe(), CreateTestProbe(), CreateTestProbe());
        var group = StartGroup(parent, run, dispatcher, pool);
        group.Tell(new OpenGroup(5, 2, false));
        Assert.Equal([0, 1], dispatcher.ExpectMsg<SubmitWork>(Soon).Work.Siblings.ToArray());

        group.Tell(new TrajectoriesSampled(5, [Sampled(5, 1)]), TestActor);
        Assert.Equal([1], ExpectMsg<TrajectoriesAcknowledged>(Soon).Siblings.ToArray());
        Assert.Equal([0], dispatcher.ExpectMsg<SubmitWork>(Soon).Work.Siblings.ToArray());
        Assert.Equal(1, Assert.Single(pool.ExpectMsg<RewardProtocol.ScoreRollouts>(Soon).Requests).Id.Sibling);
        group.Tell(new TrajectoriesSampled(5, [Sampled(5, 0), Sampled(5, 1)]), TestActor);
        Assert.Equal([0, 1], ExpectMsg<TrajectoriesAcknowledged>(Soon).Siblings.ToArray());
        group.Tell(new GetGroup(5), TestActor);
        Assert.Contains("2/2 sampled, 0/2 scored", ExpectMsg<GroupIncomplete>(Soon).Reason, StringComparison.Ordinal);

        group.Tell(new RolloutsScored(5, "answer", [(1, new RewardOutcome.Scored(1, NoMetrics))]));
        pool.ExpectMsg<RewardProtocol.ScoreRollouts>(m => Assert.Equal(0, Assert.Single(m.Requests).Id.Sibling), Soon);
        group.Tell(new RolloutsScored(5, "answer", [(0, new RewardOutcome.Scored(0, NoMetrics))]));
        var completed = Assert.IsType<GroupCompleted>(run.ExpectMsg<GroupFinished>(Soon).Outcome);
        Assert.Equal(completed, run.ExpectMsg<GroupFinished>(Soon).Outcome);
        group.Tell(new RetireGroup(5));
        parent.ExpectMsg<Passivate>(Soon);

        // Another incarnation knows everything from the journal.
        Watch(group);
        group.Tell(PoisonPill.Instance);
        ExpectTerminated(group, Soon);
        var recovered = StartGroup(parent, run, dispatcher, pool);
        Assert.Equal(completed, run.ExpectMsg<GroupFinished>(Soon).Outcome);
        recovered.Tell(new GetGroup(5), TestActor);
        Assert.Equal(completed.Hash, ContentHash.Of(new ScoredGroup(5, ExpectMsg<GroupContent>(Soon).Siblings)));
    }

    [Fact]
    public void Dispatcher_must_give_a_lost_samplers_work_to_another()
    {
        var dispatcher = Sys.ActorOf(Props.Create(() => new WorkDispatcherActor(TimeSpan.FromMinutes(1), _monitor, TimeProvider.System)));
        var (first, second) = (CreateTestProbe(), CreateTestProbe());
        dispatcher.Tell(new RequestWork("a", 2), first);
        dispatcher.Tell(new SubmitWork(new SampleWork(3, [0, 1], 0, false)));
        first.ExpectNoMsg(100);
        dispatcher.Tell(new PoliciesPublished([Policy(1, 0)]));
        first.ExpectMsg<PoliciesPublished>(Soon);
        Assert.Equal(3, Assert.Single(first.ExpectMsg<WorkLeased>(Soon).Work).Group);
        dispatcher.Tell(new RequestWork("b", 2), second);
        second.ExpectMsg<PoliciesPublished>(Soon);
        second.ExpectNoMsg(100);
        Sys.Stop(first);
        Assert.Equal(3, Assert.Single(second.ExpectMsg<WorkLeased>(Soon).Work).Group);
    }

    [Fact]
    public void Dispatcher_must_hand_a_lost_samplers_canvases_on_and_learn_of_leases_that_it_has_forgotten()
    {
        var dispatcher = Sys.ActorOf(Props.Create(() => new WorkDispatcherActor(TimeSpan.FromMinutes(1), _monitor, TimeProvider.System)));
        var (first, second) = (CreateTestProbe(), CreateTestProbe());
        dispatcher.Tell(new PoliciesPublished([Policy(1, 0)]));
        dispatcher.Tell(new RequestWork("a", 1), first);
        // It was started again: the sampler's work is from before, and its group asks for it once more.
        var work = new SampleWork(3, [0, 1], 0, false);
        dispatcher.Tell(new CanvasesReported("a", work, [Canvas(3, 1)]), first);
        dispatcher.Tell(new SubmitWork(work));
        dispatcher.Tell(new RequestWork("b", 2), second);
        second.ExpectMsg<PoliciesPublished>(Soon);
        second.ExpectNoMsg(100);
        Sys.Stop(first);
        var leased = Assert.Single(second.ExpectMsg<WorkLeased>(Soon).Work);
        Assert.Equal((3L, 1, 2), (leased.Group, Assert.Single(leased.Begun).Id.Sibling, leased.Begun[0].Step));
    }

    [Fact]
    public void Grant_that_was_lost_must_be_given_again_soon_and_work_that_is_given_twice_be_sampled_once()
    {
        var time = new FakeTimeProvider();
        var dispatcher = Sys.ActorOf(Props.Create(() => new WorkDispatcherActor(TimeSpan.FromMinutes(2), _monitor, time)));
        dispatcher.Tell(new PoliciesPublished([Policy(1, 0)]));
        dispatcher.Tell(new RequestWork("a", 4), TestActor);
        ExpectMsg<PoliciesPublished>(Soon);
        dispatcher.Tell(new SubmitWork(new SampleWork(3, [0, 1], 0, false)));
        var work = Assert.Single(ExpectMsg<WorkLeased>(Soon).Work);
        time.Advance(TimeSpan.FromSeconds(4));
        ExpectMsg<WorkLeased>(Soon);
        dispatcher.Tell(new CanvasesReported("a", work, []));
        time.Advance(TimeSpan.FromSeconds(60));
        ExpectNoMsg(1500);

        var (sampler, run, _, _) = StartSampler();
        sampler.Tell(new PoliciesPublished([Policy(1, 0)]));
        foreach (var _ in new[] { 1, 2 }) sampler.Tell(new WorkLeased([work]));
        run.FishForMessage(m => m is SamplerReport { Statistics.Forwards: 2 }, Soon);
        Assert.Equal(2, _engines.Sampled.Count);
    }

    [Fact]
    public void Sampler_must_report_how_far_its_leases_have_come()
    {
        _settings = _settings with { Topology = _settings.Topology with { ReportEvery = TimeSpan.FromMilliseconds(100) } };
        var (sampler, _, dispatcher, _) = StartSampler(() => new BusySampler(Canvas(5, 1)));
        sampler.Tell(new PoliciesPublished([Policy(1, 0)]));
        sampler.Tell(new WorkLeased([new SampleWork(5, [0, 1], 0, false), new SampleWork(6, [0, 1], 0, false)]));
        CanvasesReported Next() => (CanvasesReported)dispatcher.FishForMessage(m => m is CanvasesReported, Soon);
        // That the grant has arrived is said at once, whatever the device is busy with.
        foreach (var group in new[] { 5L, 6L }) Assert.Equal((group, 0), Next() is var arrived ? (arrived.Work.Group, arrived.Canvases.Length) : default);
        var reports = Enumerable.Range(0, 4).Select(_ => Next()).ToLookup(report => report.Work.Group);
        Assert.All(reports[5], report => Assert.Equal(new RolloutId(5, 1), Assert.Single(report.Canvases).Id));
        // Nothing of this one has taken a step; the report only says who has it.
        Assert.All(reports[6], report => Assert.Empty(report.Canvases));
        sampler.Tell(new GroupProtocol.TrajectoriesAcknowledged(5, [0]));
        dispatcher.FishForMessage(m => m is CanvasesReported { Work: { Group: 5, Siblings: [1] } }, Soon);
    }

    [Fact]
    public void Dispatcher_must_requeue_a_lease_that_was_held_too_long()
    {
        var time = new FakeTimeProvider();
        var dispatcher = Sys.ActorOf(Props.Create(() => new WorkDispatcherActor(TimeSpan.FromSeconds(30), _monitor, time)));
        dispatcher.Tell(new PoliciesPublished([Policy(1, 0)]));
        dispatcher.Tell(new RequestWork("a", 4), TestActor);
        ExpectMsg<PoliciesPublished>(Soon);
        dispatcher.Tell(new SubmitWork(new SampleWork(3, [0, 1], 0, false)));
        ExpectMsg<WorkLeased>(Soon);
        ExpectNoMsg(1500);
        time.Advance(TimeSpan.FromSeconds(31));
        ExpectMsg<WorkLeased>(Soon);
    }

    [Fact]
    public void Sampler_must_swap_before_it_starts_deliver_until_acknowledged_and_then_release_its_lease()
    {
        var (sampler, run, dispatcher, groups) = StartSampler();
        dispatcher.ExpectMsg<RequestWork>(m => Assert.Equal(6, m.FreeSlots), Soon);
        sampler.Tell(new WorkLeased([new SampleWork(5, [0, 1], 0, false)]));
        groups.ExpectNoMsg(200);
        sampler.Tell(new PoliciesPublished([Policy(1, 0)]));
        var sampled = groups.ExpectMsg<TrajectoriesSampled>(Soon);
        Assert.Equal([0, 1], sampled.Trajectories.Select(t => t.Id.Sibling));
        Assert.All(sampled.Trajectories, t => Assert.Equal(Zero, Assert.Single(t.Policies).Hash));
        // Not acknowledged: sent again.
        groups.ExpectMsg<TrajectoriesSampled>(Soon);
        sampler.Tell(new TrajectoriesAcknowledged(5, [0, 1]));
        dispatcher.FishForMessage(m => m is CompleteLease { Group: 5 }, Soon);
        run.FishForMessage(m => m is SamplerReport { Statistics.Forwards: 2 }, Soon);
    }

    [Fact]
    public void Sampler_must_count_its_idle_seconds_from_its_start_and_not_from_the_machines()
    {
        using var held = new ManualResetEventSlim();
        _engines.SamplerFault = _ => !held.Wait(Soon);
        var (sampler, _, _, _) = StartSampler();
        sampler.Tell(new PoliciesPublished([Policy(1, 0)]));
        sampler.Tell(new WorkLeased([new SampleWork(5, [0, 1], 0, false)]));
        var first = (PartStatus)_monitor.FishForMessage(m => m is PartStatus { Phase: Phase.Sampling }, Soon);
        held.Set();
        Assert.Equal(2, first.Figure(Figures.Active));
        Assert.InRange(first.Figure(Figures.StalledSeconds), 0, 5);
    }

    [Fact]
    public void Sampler_whose_device_fails_must_say_why_and_stop()
    {
        _engines.SamplerFault = _ => true;
        var (sampler, _, _, _) = StartSampler();
        Watch(sampler);
        sampler.Tell(new PoliciesPublished([Policy(1, 0)]));
        sampler.Tell(new WorkLeased([new SampleWork(5, [0, 1], 0, false)]));
        Assert.Contains("device lost", ((PartFailed)_monitor.FishForMessage(m => m is PartFailed, Soon)).Failure.Reason, StringComparison.Ordinal);
        ExpectTerminated(sampler, Soon);
    }

    [Fact]
    public void Group_must_wait_for_a_pool_that_has_its_request_and_ask_again_once_no_sign_comes()
    {
        var (run, dispatcher, pool, time) = (CreateTestProbe(), CreateTestProbe(), CreateTestProbe(), new FakeTimeProvider());
        var group = StartGroup(CreateTestProbe(), run, dispatcher, pool, time);
        group.Tell(new TrajectoriesSampled(5, [Sampled(5, 0), Sampled(5, 1)]), TestActor);
        Assert.Equal(2, pool.ExpectMsg<RewardProtocol.ScoreRollouts>(Soon).Requests.Length);
        for (var second = 0; second < 60; second += 4)
        {
            time.Advance(TimeSpan.FromSeconds(4));
            group.Tell(new ScoringGoesOn(5, "answer"));
        }

        // Longer than a tick.
        pool.ExpectNoMsg(TimeSpan.FromSeconds(3));
        time.Advance(TimeSpan.FromSeconds(7));
        Assert.Equal(2, pool.ExpectMsg<RewardProtocol.ScoreRollouts>(Soon).Requests.Length);
    }

    [Fact]
    public void Pool_must_say_that_it_has_a_request_for_as_long_as_it_has_it()
    {
        using var held = new ManualResetEventSlim();
        _engines.Reward = _ =>
        {
            held.Wait(Soon);
            return new RewardOutcome.Scored(1, NoMetrics);
        };
        var spec = new RewardPoolSpec("answer", "sort", 1, 1, TimeSpan.FromSeconds(60), 0);
        var pool = Sys.ActorOf(Props.Create(() => new RewardPoolActor(new RewardPool(spec, new TestReward(_engines)), _monitor, TimeProvider.System)));
        pool.Tell(new RewardProtocol.ScoreRollouts(5, [new RewardRequest(new RolloutId(5, 0), new TestPrompts().Train(5), "")]), TestActor);
        Assert.Equal(new ScoringGoesOn(5, "answer"), ExpectMsg<ScoringGoesOn>(Soon));
        ExpectMsg<ScoringGoesOn>(Soon);
        held.Set();
        FishForMessage(m => m is RolloutsScored, Soon);
        ExpectNoMsg(TimeSpan.FromSeconds(2));
    }

    [Fact]
    public void Reward_that_hangs_must_come_back_as_an_infrastructure_fault_within_its_deadline()
    {
        using var never = new ManualResetEventSlim();
        _engines.Reward = _ =>
        {
            never.Wait(Soon);
            return new RewardOutcome.Scored(1, NoMetrics);
        };
        var spec = new RewardPoolSpec("answer", "sort", 1, 1, TimeSpan.FromMilliseconds(200), 0);
        var pool = Sys.ActorOf(Props.Create(() => new RewardPoolActor(new RewardPool(spec, new TestReward(_engines)), _monitor, TimeProvider.System)));
        pool.Tell(new RewardProtocol.ScoreRollouts(5, [new RewardRequest(new RolloutId(5, 0), new TestPrompts().Train(5), "")]), TestActor);
        var (sibling, outcome) = Assert.Single(ExpectMsg<RolloutsScored>(Soon).Outcomes);
        never.Set();
        Assert.Equal(0, sibling);
        Assert.IsType<RewardOutcome.InfraFault>(outcome);
    }

    [Fact]
    public void Learner_must_prepare_the_base_train_report_until_accepted_and_checkpoint()
    {
        var (run, groups) = (CreateTestProbe(), CreateTestProbe());
        var learner = StartLearner(run, groups);
        run.FishForMessage(m => m is LearnerHello, Soon);
        learner.Tell(new LearnerAssignment(1, null, null, 0, SamplerStatistics.Zero));
        Assert.Equal(0, ((BaseCompleted)run.FishForMessage(m => m is BaseCompleted, Soon)).Ready.Policy.Version);
        learner.Tell(new BaseAccepted(SamplerStatistics.Zero));
        run.FishForMessage(m => m is LearnerIdle { Version: 0 }, Soon);
        Train(learner, groups, 1, corrupt: false);
        run.FishForMessage(m => m is StepCompleted { Report.Step: 1 }, Soon);
        run.FishForMessage(m => m is StepCompleted { Report.Step: 1 }, Soon);
        learner.Tell(new StepAccepted(1));
        run.FishForMessage(m => m is LearnerIdle { Version: 1 }, Soon);
        Train(learner, groups, 2, corrupt: false);
        run.FishForMessage(m => m is StepCompleted { Report.Step: 2 }, Soon);
        learner.Tell(new StepAccepted(2));
        // checkpoint.every = 2
        Assert.Equal(2, ((CheckpointCompleted)run.FishForMessage(m => m is CheckpointCompleted, Soon)).Checkpoint.Step);
        Assert.Equal([1, 2], _engines.Recorded);
    }

    [Fact]
    public void Learner_that_is_asked_for_a_checkpoint_must_record_the_step_before_it()
    {
        var recording = new TaskCompletionSource();
        _engines.Recording = recording.Task;
        var (run, groups) = (CreateTestProbe(), CreateTestProbe());
        var learner = StartLearner(run, groups);
        learner.Tell(new LearnerAssignment(1, null, null, 0, SamplerStatistics.Zero));
        run.FishForMessage(m => m is BaseCompleted, Soon);
        learner.Tell(new BaseAccepted(SamplerStatistics.Zero));
        Train(learner, groups, 1, corrupt: false);
        run.FishForMessage(m => m is StepCompleted { Report.Step: 1 }, Soon);
        learner.Tell(new StepAccepted(1));
        learner.Tell(new CheckpointNow());
        // Two more ticks of the learner, and still no checkpoint.
        run.FishForMessage(m => m is LearnerIdle { Version: 1 }, Soon);
        Assert.IsType<LearnerIdle>(run.FishForMessage(m => m is LearnerIdle or CheckpointCompleted, Soon));
        Assert.IsType<LearnerIdle>(run.FishForMessage(m => m is LearnerIdle or CheckpointCompleted, Soon));
        recording.SetResult();
        // Asked for again, as the ledger does on its tick.
        Within(Soon, () => AwaitAssert(() =>
        {
            learner.Tell(new CheckpointNow());
            Assert.Equal(1, ((CheckpointCompleted)run.FishForMessage(m => m is CheckpointCompleted, TimeSpan.FromMilliseconds(300))).Checkpoint.Step);
        }));
        Assert.Equal([1], _engines.Recorded);
    }

    [Fact]
    public void Learner_must_refuse_a_batch_whose_content_is_not_what_the_ledger_promised()
    {
        var (run, groups) = (CreateTestProbe(), CreateTestProbe());
        var learner = StartLearner(run, groups);
        Watch(learner);
        learner.Tell(new LearnerAssignment(1, null, null, 0, SamplerStatistics.Zero));
        run.FishForMessage(m => m is BaseCompleted, Soon);
        learner.Tell(new BaseAccepted(SamplerStatistics.Zero));
        Train(learner, groups, 1, corrupt: true);
        Assert.Contains("the ledger promised", ((PartFailed)_monitor.FishForMessage(m => m is PartFailed, Soon)).Failure.Reason, StringComparison.Ordinal);
        ExpectTerminated(learner, Soon);
        Assert.Empty(_engines.Batches);
    }

    [Fact]
    public void Policy_cache_must_fetch_once_for_all_that_wait_and_pass_a_failure_on()
    {
        var cache = new SlowCache();
        var actor = StartPolicyCache(_ => cache);
        actor.Tell(new PolicyCacheActor.EnsurePolicy(Policy(1, 3)), TestActor);
        actor.Tell(new PolicyCacheActor.EnsurePolicy(Policy(1, 3)), TestActor);
        ExpectNoMsg(100);
        cache.Gate.SetResult("v3");
        Assert.Equal("v3", ExpectMsg<PolicyCacheActor.PolicyReady>(Soon).Path);
        ExpectMsg<PolicyCacheActor.PolicyReady>(Soon);
        Assert.Equal(1, cache.Fetches);
        actor.Tell(new PolicyCacheActor.EnsurePolicy(Policy(1, 4)), TestActor);
        Assert.IsType<PolicyUnavailableException>(ExpectMsg<Status.Failure>(Soon).Cause);
    }

    [Fact]
    public void Policy_cache_must_turn_to_where_the_publisher_is_now()
    {
        var (gone, here) = (new SlowCache(), new SlowCache());
        var publisher = CreateTestProbe();
        var actor = Sys.ActorOf(Props.Create(() => new PolicyCacheActor(source => source.Address == "http://127.0.0.1:1/" ? gone : here, publisher, Soon, _monitor)));
        // Where policies are is asked before anybody wants one, and a request before the answer waits for it.
        actor.Tell(new PolicyCacheActor.EnsurePolicy(Policy(1, 3)), TestActor);
        publisher.ExpectMsg<PolicyPublisherActor.GetPolicySource>(Soon);
        publisher.Reply(new PolicyPublisherActor.PolicySourceIs(new PolicySource("http://127.0.0.1:1/", new Secret("a"))));
        AwaitAssert(() => Assert.Equal(1, gone.Fetches), Soon);
        publisher.FishForMessage(m => m is PolicyPublisherActor.GetPolicySource, Soon);
        publisher.Reply(new PolicyPublisherActor.PolicySourceIs(new PolicySource("http://127.0.0.1:2/", new Secret("b"))));
        here.Gate.SetResult("v3");
        Assert.Equal("v3", ExpectMsg<PolicyCacheActor.PolicyReady>(Soon).Path);
        gone.Gate.SetResult("old");
        ExpectNoMsg(200);
    }

    [Fact]
    public void Policy_publisher_must_prune_each_time_the_oldest_needed_version_rises()
    {
        var store = new CountingStore();
        var actor = Sys.ActorOf(Props.Create(() => new PolicyPublisherActor(store, PolicySource.RunDirectory, _monitor)));
        foreach (var oldest in new[] { 0, 2, 2, 1, 3 }) actor.Tell(new PolicyPublisherActor.Retain(oldest));
        AwaitAssert(() => Assert.Equal([2, 3], store.Pruned.Order()), Soon);
    }

    private (IActorRef Run, TestProbe Groups, TestProbe Dispatcher) StartRun(string name)
    {
        var (groups, dispatcher, publisher) = (CreateTestProbe(), CreateTestProbe(), CreateTestProbe());
        var refs = new RunRefs(groups, dispatcher, publisher, _monitor);
        var settings = _settings with { Name = name };
        return (Sys.ActorOf(Props.Create(() => new RunActor(settings, refs, new JournalGauge(TimeProvider.System), 1000))), groups, dispatcher);
    }

    private IActorRef StartGroup(TestProbe parent, TestProbe run, TestProbe dispatcher, TestProbe pool, TimeProvider? time = null)
    {
        var clock = time ?? TimeProvider.System;
        var refs = new GroupRefs(run, dispatcher, ImmutableDictionary<string, IActorRef>.Empty.Add("answer", pool));
        return parent.ChildActorOf(Props.Create(() => new RolloutGroupActor(5, _settings, refs, new TestPrompts(), new JournalGauge(clock), clock)));
    }

    private (IActorRef Sampler, TestProbe Run, TestProbe Dispatcher, TestProbe Groups) StartSampler(Func<ISampler>? engine = null)
    {
        engine ??= () => new TestSampler(_engines);
        var (run, dispatcher, groups) = (CreateTestProbe(), CreateTestProbe(), CreateTestProbe());
        var cache = StartPolicyCache(_ => new TestPolicyCache());
        var refs = new SamplerRefs(run, dispatcher, groups, cache, _monitor);
        var sampler = Sys.ActorOf(Props.Create(() => new SamplerActor("n/cpu", _settings, refs, engine, new TestPrompts(), TimeProvider.System)));
        return (sampler, run, dispatcher, groups);
    }

    private static RolloutInFlight Canvas(long group, int sibling) => new(
        new Trajectory(new RolloutId(group, sibling), [3], [1, 9], [0, -1], [-.5f, 0], [0, 0], 0, [new PolicySpan(0, 0, Zero)], ""), .25);

    private IActorRef StartPolicyCache(Func<PolicySource, IPolicyCache> connect)
    {
        var publisher = Sys.ActorOf(Props.Create(() => new PolicyPublisherActor(new CountingStore(), PolicySource.RunDirectory, _monitor)));
        return Sys.ActorOf(Props.Create(() => new PolicyCacheActor(connect, publisher, Soon, _monitor)));
    }

    private IActorRef StartLearner(TestProbe run, TestProbe groups) =>
        Sys.ActorOf(Props.Create(() => new LearnerActor(_settings, _engines.ToRunEngines(), new LearnerRefs(run, groups, _monitor), TimeProvider.System)));

    private static void Train(IActorRef learner, TestProbe groups, int step, bool corrupt)
    {
        var scored = new ScoredGroup(step, [new ScoredTrajectory(Sampled(step, 0), 1, NoMetrics)]);
        var hash = corrupt ? Zero : ContentHash.Of(scored);
        learner.Tell(new TrainBatch(1, new BatchFormed(step, [new BatchGroup(step, hash)]), 1, SamplerStatistics.Zero));
        Assert.Equal(step, groups.ExpectMsg<GetGroup>(Soon).Group);
        groups.Reply(new GroupContent(step, scored.Siblings.Length, scored.Siblings));
    }

    private static void CompleteBase(IActorRef run, TestProbe learner)
    {
        run.Tell(new BaseCompleted(1, new BaseReady(Policy(1, 0), new Checkpoint(0, "0", Zero), NoMetrics)), learner);
        learner.ExpectMsg<BaseAccepted>(Soon);
    }

    private static Trajectory Sampled(long group, int sibling) =>
        new(new RolloutId(group, sibling), [5], [1, 2], [0, 1], [-.5f, -.25f], [0, 0], .1f, [new PolicySpan(0, 0, Zero)], "12");

    private static StepReport Report(int epoch, int step) => new(step, Policy(epoch, step), false, NoMetrics);

    private static PolicyManifest Policy(int epoch, int version) => new(epoch, version, Zero, "", PayloadKind.Full, 1, $"v{version}");

    private sealed class SlowCache : IPolicyCache
    {
        private int _fetches;

        public TaskCompletionSource<string> Gate { get; } = new();

        public int Fetches => _fetches;

        public Task<string> FetchAsync(PolicyManifest manifest, CancellationToken cancellation)
        {
            if (manifest.Version == 4) throw new PolicyUnavailableException("hash differs");
            Interlocked.Increment(ref _fetches);
            return Gate.Task;
        }
    }

    /// <summary>Is in the middle of one rollout for ever.</summary>
    private sealed class BusySampler(RolloutInFlight begun) : ISampler
    {
        public SamplerStatistics Statistics => SamplerStatistics.Zero;

        public void Submit(SampleTask task)
        {
        }

        public void Cancel(long group)
        {
        }

        public Task SwapAsync(PolicyManifest manifest, string path) => Task.CompletedTask;

        public async Task<IReadOnlyList<Trajectory>> NextFinishedAsync(CancellationToken cancellation)
        {
            await Task.Delay(Timeout.Infinite, cancellation);
            return [];
        }

        public Task<IReadOnlyList<RolloutInFlight>> InFlightAsync() => Task.FromResult<IReadOnlyList<RolloutInFlight>>([begun]);

        public ValueTask DisposeAsync() => ValueTask.CompletedTask;
    }

    private sealed class CountingStore : IPolicyStore
    {
        public System.Collections.Concurrent.ConcurrentBag<int> Pruned { get; } = [];

        public void Prune(int oldestVersion) => Pruned.Add(oldestVersion);
    }
}
