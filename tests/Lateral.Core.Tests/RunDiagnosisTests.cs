using Lateral.Core.Runs;

namespace Lateral.Core.Tests;

/// <summary>Whom the diagnosis blames and what it advises, for each thing that can go wrong while a run is alive.</summary>
public sealed class RunDiagnosisTests
{
    private const string Sampler = "sampler h/cpu";
    private const string Pool = "reward pool answer";

    [Fact]
    public void Slow_reward_pool_must_be_blamed_with_its_workers_when_calls_wait_for_one()
    {
        var diagnosis = Diagnose(Waiting(41), PoolWith(inFlight: 5, oldest: 38, workers: 4), Queue(0, 0, 0), SamplerIdle(40));
        Assert.Equal(
            "learner: waiting 41 s for batch 212 (11 of 16 groups) <- reward pool answer: 5 in flight, oldest 38 s, 4 workers"
            + " -> raise reward.pools.answer.workers (4 now), or cut slow calls off sooner with reward.pools.answer.timeout (60 s now)",
            diagnosis.Line);
        Assert.Equal((Verdict.Bottleneck, Pool), (diagnosis.Verdict, diagnosis.Culprit.Part));
        Assert.Equal(["reward.pools.answer.workers", "reward.pools.answer.timeout"], diagnosis.Advice.Select(advice => advice.Setting));
    }

    [Fact]
    public void More_workers_must_not_be_advised_where_no_call_waits_for_one()
    {
        var diagnosis = Diagnose(Waiting(41), PoolWith(inFlight: 3, oldest: 38, workers: 4), Queue(0, 0, 0), SamplerIdle(40));
        Assert.Equal([null, "reward.pools.answer.timeout"], diagnosis.Advice.Select(advice => advice.Setting));
    }

    [Fact]
    public void Reward_calls_that_miss_their_deadline_must_be_blamed_on_the_timeout()
    {
        var pool = PoolWith(inFlight: 3, oldest: 2, workers: 4) with { Fault = new PartFault("no answer within 5 s", 7, 30) };
        var diagnosis = Diagnose(Waiting(35), pool, Queue(4, 2, 9), Sampling(8));
        Assert.Equal((Verdict.Stuck, Pool, "reward.pools.answer.timeout"), (diagnosis.Verdict, diagnosis.Culprit.Part, diagnosis.Advice[0].Setting));
        Assert.Contains("7 faults in a row and retried (no answer within 5 s)", diagnosis.Culprit.Text, StringComparison.Ordinal);
    }

    [Fact]
    public void Reward_faults_must_be_blamed_with_their_reason_and_no_setting()
    {
        var pool = PoolWith(inFlight: 3, oldest: 2, workers: 4) with { Fault = new PartFault("IOException: verifier host is down", 1, 3) };
        var diagnosis = Diagnose(Waiting(12), pool, Queue(0, 0, 0), SamplerIdle(5));
        Assert.Equal((Verdict.Stuck, Pool), (diagnosis.Verdict, diagnosis.Culprit.Part));
        Assert.Contains("verifier host is down", diagnosis.Culprit.Text, StringComparison.Ordinal);
        Assert.Null(Assert.Single(diagnosis.Advice).Setting);
    }

    [Fact]
    public void Of_two_pools_the_one_with_the_oldest_call_must_be_blamed()
    {
        var judge = PoolWith(inFlight: 1, oldest: 50, workers: 1) with { Part = Parts.RewardPool("judge") };
        Assert.Equal("reward pool judge", Diagnose(Waiting(41), PoolWith(inFlight: 9, oldest: 38, workers: 4), judge, Queue(0, 0, 0), SamplerIdle(1)).Culprit.Part);
    }

    [Fact]
    public void Dead_sampler_must_be_blamed_with_the_reason_of_its_last_failure()
    {
        var sampler = new PartStatus(Sampler, Phase.Restarting) { Seconds = 1, Fault = new PartFault("CUDA error: device lost", 3, 20) };
        var diagnosis = Diagnose(Waiting(30), PoolWith(0, 0, 4), Queue(6, 0, 0), sampler);
        Assert.Equal(["learner", "dispatcher", Sampler], diagnosis.Chain.Select(link => link.Part));
        Assert.Equal("failed 3 times in 20 s and is restarted each time: CUDA error: device lost", diagnosis.Culprit.Text);
        Assert.Equal((Verdict.Stuck, "topology.roles.sampler.devices"), (diagnosis.Verdict, diagnosis.Advice[^1].Setting));
    }

    [Fact]
    public void Sampler_without_memory_must_be_advised_fewer_slots()
    {
        var sampler = new PartStatus(Sampler, Phase.Restarting) { Fault = new PartFault("CUDA out of memory. Tried to allocate 2 GiB", 2, 4) };
        Assert.Equal("topology.roles.sampler.slots", Assert.Single(Diagnose(Waiting(30), Queue(6, 0, 0), sampler).Advice).Setting);
    }

    [Fact]
    public void Dead_sampler_beside_a_live_one_must_be_a_bottleneck_and_be_named_even_while_the_learner_trains()
    {
        var dead = new PartStatus("sampler h/cuda:1", Phase.Restarting) { Fault = new PartFault("device lost", 4, 9) };
        var diagnosis = Diagnose(Learner(Phase.Training, 2, "step 9"), Queue(6, 3, 4), Sampling(8), dead);
        Assert.Equal((Verdict.Bottleneck, "sampler h/cuda:1"), (diagnosis.Verdict, diagnosis.Culprit.Part));
    }

    [Fact]
    public void Sampler_that_says_nothing_never_came_up_or_computes_nothing_must_be_blamed()
    {
        var silent = Diagnose(Waiting(30), Queue(2, 4, 25), Sampling(8) with { SilentSeconds = 12 });
        Assert.Equal((Sampler, "has said nothing for 12 s; it was sampling for 12 s"), (silent.Culprit.Part, silent.Culprit.Text));
        var absent = Diagnose(Waiting(30), Queue(6, 0, 0), new PartStatus(Sampler, Phase.Starting) { Seconds = 31, SilentSeconds = 31 });
        Assert.Equal((Sampler, "has not come up for 31 s"), (absent.Culprit.Part, absent.Culprit.Text));
        var stalled = Diagnose(Waiting(30), Queue(2, 4, 25), Sampling(8).With(Figures.StalledSeconds, 26));
        Assert.Equal((Sampler, "holds 8 rollouts and has computed nothing for 26 s"), (stalled.Culprit.Part, stalled.Culprit.Text));
        Assert.All(new[] { silent, absent, stalled }, diagnosis => Assert.Equal(Verdict.Stuck, diagnosis.Verdict));
    }

    [Fact]
    public void Run_without_a_sampler_must_say_so()
    {
        var diagnosis = Diagnose(Waiting(30), Queue(6, 0, 0));
        Assert.Equal(("sampler", "topology.roles.sampler.devices"), (diagnosis.Culprit.Part, Assert.Single(diagnosis.Advice).Setting));
        Assert.Equal("6 groups queued, none at a sampler", diagnosis.Chain[1].Text);
    }

    [Fact]
    public void Busy_samplers_must_be_advised_slots_when_they_are_full_and_devices_when_not()
    {
        var full = Diagnose(Waiting(30), PoolWith(1, 1, 4), Queue(9, 4, 12), Sampling(32));
        Assert.Equal((Verdict.Bottleneck, Sampler, "topology.roles.sampler.slots"), (full.Verdict, full.Culprit.Part, full.Advice[0].Setting));
        Assert.Equal("topology.roles.sampler.devices", Diagnose(Waiting(30), Queue(9, 4, 12), Sampling(8)).Advice[0].Setting);
    }

    [Fact]
    public void Straggling_group_must_be_named_with_the_deadline()
    {
        var diagnosis = Diagnose(Waiting(90), PoolWith(0, 0, 4), Queue(0, 1, 95).With(Figures.Reissued, 2), Sampling(8));
        Assert.Equal("rollout.deadline", diagnosis.Advice[0].Setting);
        Assert.Contains("2 groups given to another after rollout.deadline", diagnosis.Culprit.Text, StringComparison.Ordinal);
    }

    [Fact]
    public void Batch_that_waits_for_older_groups_must_say_so()
    {
        var status = Status(Waiting(20), Queue(0, 1, 19), Sampling(8));
        var diagnosis = RunDiagnosis.Of(status with { Ledger = status.Ledger with { Ready = 16, Waiting = 20 } }, Surroundings.Inside);
        Assert.Contains("(16 of 16 groups, and older ones that must not be passed over)", diagnosis.Chain[0].Text, StringComparison.Ordinal);
    }

    [Fact]
    public void Sampler_that_waits_for_a_policy_must_lead_to_the_policy_cache()
    {
        var sampler = new PartStatus(Sampler, Phase.Waiting, Waits: new WaitsFor(Parts.PolicyCache, "policy v211")) { Seconds = 22 };
        var cache = new PartStatus(Parts.PolicyCache, Phase.Fetching, "policy v211") { Seconds = 21 };
        var diagnosis = Diagnose(Waiting(30), Queue(0, 4, 24), sampler, cache);
        Assert.Equal(["learner", "dispatcher", Sampler, "policy cache"], diagnosis.Chain.Select(link => link.Part));
        Assert.Equal("fetching policy v211 for 21 s", diagnosis.Culprit.Text);
    }

    [Fact]
    public void Short_wait_for_a_batch_must_not_be_called_a_bottleneck() =>
        Assert.Equal(Verdict.Working, Diagnose(Waiting(3), Queue(9, 4, 2), Sampling(32)).Verdict);

    [Fact]
    public void Used_up_staleness_budget_must_lead_to_the_learner()
    {
        var diagnosis = Diagnose(Learner(Phase.Training, 41, "step 212").With(Figures.StepSeconds, 30), SamplerIdle(38));
        Assert.Equal(
            "sampler h/cpu: waiting 38 s for work: all 48 groups that staleness.max-versions allows are issued <- learner: training step 212 for 41 s (the last step took 30 s)"
            + " -> raise staleness.max-versions (2 now), or make a step cheaper with algorithm.step-subset",
            diagnosis.Line);
        Assert.Equal(Verdict.Bottleneck, diagnosis.Verdict);
    }

    [Fact]
    public void Training_far_longer_than_the_last_step_must_be_stuck()
    {
        Assert.Equal(Verdict.Working, Diagnose(Learner(Phase.Training, 61, "step 2").With(Figures.StepSeconds, 20), Sampling(8)).Verdict);
        Assert.Equal(Verdict.Stuck, Diagnose(Learner(Phase.Training, 101, "step 2").With(Figures.StepSeconds, 20), Sampling(8)).Verdict);
    }

    [Fact]
    public void Healthy_run_must_say_what_it_does_and_how_fast()
    {
        var learner = Learner(Phase.Training, 2, "step 212").With(Figures.StepSeconds, 3).With(Figures.TokensPerSecond, 2310.4);
        var diagnosis = Diagnose(learner, PoolWith(2, 0.1, 4), Queue(9, 4, 2), Sampling(32));
        Assert.Equal((Verdict.Working, "learner: training step 212 for 2 s (the last step took 3 s, 2310 tokens/s)"), (diagnosis.Verdict, diagnosis.Line));
    }

    [Theory]
    [InlineData(Phase.Evaluating, "step 40", "eval.every")]
    [InlineData(Phase.Restoring, "step 40", "checkpoint.every")]
    [InlineData(Phase.WarmingUp, "the base", "warmup.steps")]
    public void Long_phase_of_the_learner_must_be_named_with_what_shortens_it(Phase phase, string subject, string setting)
    {
        var sampler = new PartStatus(Sampler, Phase.Waiting, Waits: new WaitsFor(Parts.Learner, "the base policy")) { Seconds = 30 };
        var diagnosis = Diagnose(Learner(phase, 31, subject).With(Figures.Done, 100).With(Figures.Of, 400), sampler);
        Assert.Equal((Parts.Learner, setting), (diagnosis.Culprit.Part, diagnosis.Advice[0].Setting));
        Assert.EndsWith($"{subject} (100 of 400) for 31 s", diagnosis.Culprit.Text, StringComparison.Ordinal);
        Assert.Equal(phase == Phase.WarmingUp ? Verdict.Working : Verdict.Bottleneck, diagnosis.Verdict);
    }

    [Theory]
    [InlineData(Phase.Restarting, 1, true)]
    [InlineData(Phase.Restoring, 1, true)]
    [InlineData(Phase.Training, 1, false)]
    [InlineData(Phase.Training, 2, true)]
    public void Learner_that_fails_must_be_blamed_unless_it_failed_once_and_trains_again(Phase phase, int failures, bool blamed)
    {
        var diagnosis = Diagnose(Learner(phase, 1, "step 3") with { Fault = new PartFault("out of memory at step 3", failures, 8) }, SamplerIdle(2));
        Assert.Equal(blamed ? Verdict.Stuck : Verdict.Working, diagnosis.Verdict);
        if (blamed) Assert.Equal("learner.micro-batch-tokens", Assert.Single(diagnosis.Advice).Setting);
    }

    [Fact]
    public void Learner_that_waits_for_nothing_anybody_holds_must_say_where_the_groups_are()
    {
        var diagnosis = Diagnose(Waiting(30), PoolWith(0, 0, 4), Queue(0, 0, 0), SamplerIdle(30));
        Assert.Equal(("groups", Verdict.Bottleneck), (diagnosis.Culprit.Part, diagnosis.Verdict));
        Assert.StartsWith("37 open, none of them at a sampler or a reward pool", diagnosis.Culprit.Text, StringComparison.Ordinal);
    }

    [Fact]
    public void Journal_that_is_slow_or_fails_must_be_blamed_before_the_parts_that_wait_for_it()
    {
        var slow = Diagnose(Waiting(13), PoolWith(9, 12, 4), Queue(0, 0, 0), SamplerIdle(9), new PartStatus(Parts.Journal, Phase.Persisting).With(Figures.InFlight, 3).With(Figures.OldestSeconds, 12));
        Assert.Equal(("journal: 3 writes in flight, oldest 12 s", "run.dir"), (slow.Culprit.ToString(), slow.Advice[0].Setting));
        var failing = Diagnose(Waiting(13), new PartStatus(Parts.Journal, Phase.Idle) { Fault = new PartFault("database is locked", 4, 11) });
        Assert.Equal("journal: failing for 11 s (4 writes): database is locked", failing.Culprit.ToString());
        var full = Diagnose(Waiting(13), new PartStatus(Parts.Journal, Phase.Idle) { Fault = new PartFault("SQLite Error 13: 'database or disk is full'.", 4, 11) });
        Assert.Equal(["learner", "journal", "disk"], full.Chain.Select(link => link.Part));
        Assert.All(new[] { slow, failing, full }, diagnosis => Assert.Equal(Verdict.Stuck, diagnosis.Verdict));
    }

    [Fact]
    public void Ledger_that_recovers_is_silent_is_paused_or_drains_must_be_named()
    {
        PartStatus ledger = new(Parts.Ledger, Phase.Running);
        Assert.Equal("ledger: recovering from its journal for 3 s", Diagnose(ledger with { Phase = Phase.Starting, Seconds = 3 }).Line);
        Assert.Equal("has said nothing for 14 s; it was running for 20 s", Diagnose(Waiting(14), ledger with { Seconds = 20, SilentSeconds = 14 }).Culprit.Text);
        var status = Status(Waiting(14), ledger with { Phase = Phase.Paused, Seconds = 14 });
        Assert.Equal("ledger: paused for 14 s: reward is always equal",
            RunDiagnosis.Of(status with { Ledger = status.Ledger with { Paused = "reward is always equal" } }, Surroundings.Inside).Culprit.ToString());
        var draining = Diagnose(Learner(Phase.Training, 14, "step 212"), ledger with { Phase = Phase.Draining, Seconds = 5 }, SamplerIdle(20));
        Assert.Equal((Parts.Ledger, Parts.Learner), (draining.Chain[0].Part, draining.Culprit.Part));
        Assert.Equal("stop at once with a second Ctrl-C", Assert.Single(draining.Advice).Text);
        var saving = Diagnose(Waiting(14), ledger with { Phase = Phase.Draining, Seconds = 15 }, new PartStatus(Parts.Recorder, Phase.Saving, "step 211 and its checkpoint") { Seconds = 14 });
        Assert.Equal((Verdict.Bottleneck, "saving step 211 and its checkpoint for 14 s"), (saving.Verdict, saving.Culprit.Text));
    }

    [Fact]
    public void Last_checkpoint_must_be_named_while_it_is_written()
    {
        var diagnosis = Diagnose(Learner(Phase.Finished, 12, null), new PartStatus(Parts.Recorder, Phase.Saving, "step 240 and its checkpoint") { Seconds = 11 });
        Assert.Equal(("all 240 steps are trained", Parts.Recorder, "run.dir"), (diagnosis.Chain[0].Text, diagnosis.Culprit.Part, diagnosis.Advice[0].Setting));
    }

    [Theory]
    [InlineData("No space left on device : '/r/checkpoints/x'")]
    [InlineData("SQLite Error 13: 'database or disk is full'.")]
    [InlineData("Failed to create 'v6.tmp' with allocation size '87616' because the disk was full.")]
    public void Part_that_fails_for_want_of_space_must_lead_to_the_disk(string reason)
    {
        var diagnosis = Diagnose(Learner(Phase.Restarting, 1, null) with { Fault = new PartFault(reason, 1, 0) });
        Assert.Equal(["learner", "disk"], diagnosis.Chain.Select(link => link.Part));
    }

    [Fact]
    public void Run_that_failed_for_good_must_give_the_reason()
    {
        var diagnosis = RunDiagnosis.Of(Status(Waiting(3)) with { Failed = new RunFailure("learner failed 5 times without progress: boom", false) }, Surroundings.Inside);
        Assert.Equal((Verdict.Stuck, "failure: learner failed 5 times without progress: boom"), (diagnosis.Verdict, diagnosis.Culprit.ToString()));
    }

    private static Diagnosis Diagnose(params PartStatus[] parts) => RunDiagnosis.Of(Status(parts), Surroundings.Inside);

    /// <summary>Step 211 of 240 is trained; 16 groups a step, 37 groups on their way, 11 ready.</summary>
    internal static RunStatus Status(params PartStatus[] parts) =>
        new(new LedgerStatus(211, 240, false, null, false, 3424, 3376, 0, 37, 11, 11, 0, 210, 16, 2), null, [.. parts]);

    internal static PartStatus Waiting(double seconds) => new(Parts.Learner, Phase.Waiting, Waits: new WaitsFor(Parts.Ledger, "batch 212")) { Seconds = seconds };

    private static PartStatus Learner(Phase phase, double seconds, string? subject) => new(Parts.Learner, phase, subject) { Seconds = seconds };

    private static PartStatus PoolWith(int inFlight, double oldest, int workers) => new PartStatus(Pool, Phase.Scoring)
        .With(Figures.InFlight, inFlight).With(Figures.OldestSeconds, oldest).With(Figures.Workers, workers).With(Figures.TimeoutSeconds, 60);

    private static PartStatus Queue(int queued, int leased, double oldest) => (new PartStatus(Parts.Dispatcher, Phase.Dispatching) { Seconds = 20 })
        .With(Figures.Queued, queued).With(Figures.Leased, leased).With(Figures.OldestLeaseSeconds, oldest).With(Figures.DeadlineSeconds, 120);

    private static PartStatus Sampling(int active) => (new PartStatus(Sampler, Phase.Sampling) { Seconds = 12 }).With(Figures.Active, active).With(Figures.Slots, 32);

    private static PartStatus SamplerIdle(double seconds) => new(Sampler, Phase.Waiting, Waits: new WaitsFor(Parts.Dispatcher, "work")) { Seconds = seconds };
}
