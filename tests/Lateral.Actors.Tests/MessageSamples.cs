using System.Collections.Immutable;
using Lateral.Actors.Learning;
using Lateral.Actors.Policies;
using Lateral.Core.Learning;
using Lateral.Core.Policies;
using Lateral.Core.Prompts;
using Lateral.Core.Rewards;
using Lateral.Core.Rollouts;
using Lateral.Core.Runs;
using static Lateral.Actors.Rewards.RewardProtocol;
using static Lateral.Actors.Rollouts.GroupProtocol;
using static Lateral.Actors.Runs.RunProtocol;
using static Lateral.Actors.Sampling.SamplingProtocol;

namespace Lateral.Actors.Tests;

/// <summary>One message of every kind with every field filled, and of those that may lack something one more without it.</summary>
internal static class MessageSamples
{
    private static readonly string Hash = string.Concat(Enumerable.Repeat("0a", 32));
    private static readonly string Parent = string.Concat(Enumerable.Repeat("f1", 32));
    private static readonly ImmutableSortedDictionary<string, double> Metrics = ImmutableSortedDictionary<string, double>.Empty.Add("loss/mean", double.NaN).Add("reward/mean", .5);
    private static readonly SamplerStatistics Statistics = new(1.5, .25, .125, 100, 790, 800, 5_000_000_000, 42);
    private static readonly PolicyManifest Policy = new(2, 3, Hash, Parent, PayloadKind.Full, 499_104, "policies/v3.safetensors");
    private static readonly Checkpoint Saved = new(2, "checkpoints/step_2", Hash);
    private static readonly BaseReady Base = new(Policy with { Version = 0, ParentHash = "" }, Saved with { Step = 0 }, Metrics);
    private static readonly BatchFormed Batch = new(3, [new BatchGroup(4, Hash), new BatchGroup(5_000_000_000, Parent)]);
    private static readonly StepReport Report = new(3, Policy, true, Metrics);
    private static readonly GradientProtocol.ShardGranted Granted = new(7, new GradientKey(2, 3, 1), 2, Batch, 4, 3, 124_736, Policy with { Kind = PayloadKind.Working }, []);
    private static readonly Prompt Prompt = new(7, [3, 1, 4], "314", "134");
    private static readonly LedgerStatus Ledger = new(3, 10, true, "rewards", true, 12, 6, 1, 2, 3, 1, 2, 0, 2, 1);
    private static readonly PartStatus Part = new PartStatus("learner", Phase.Waiting, "step 3", new WaitsFor("ledger", "batch 4")) { Seconds = 1.5, SilentSeconds = .5, Fault = new PartFault("disk full", 2, 9.5) }
        .With(Figures.Done, 3).With(Figures.Of, 10);

    /// <summary>By name: a file of golden bytes each.</summary>
    public static ImmutableSortedDictionary<string, object> All { get; } = ImmutableSortedDictionary<string, object>.Empty.WithComparers(StringComparer.Ordinal)
        .Add("learner-hello", new LearnerHello("host/1"))
        .Add("learner-assignment", new LearnerAssignment(2, Base, Saved, 5, Statistics))
        .Add("learner-assignment+earlier", new LearnerAssignment(2, Base, Saved, 5, Statistics) { Earlier = Saved with { Step = 1 } })
        .Add("learner-assignment+nothing", new LearnerAssignment(1, null, null, 0, SamplerStatistics.Zero))
        .Add("get-step-to-replay", new GetStepToReplay(2, 3))
        .Add("step-to-replay", new StepToReplay(new ReplayStep(Batch, new StepTrained(2, Report))))
        .Add("step-to-replay+roll-back", new StepToReplay(new ReplayStep(Batch, new StepTrained(2, Report with { Decision = new StepDecision(1, [new MicroBatchSpan(0, 512)]) })) { From = Saved }))
        .Add("base-completed", new BaseCompleted(1, Base))
        .Add("base-accepted", new BaseAccepted(Statistics))
        .Add("learner-idle", new LearnerIdle(2, 3))
        .Add("train-batch", new TrainBatch(2, Batch, 4, Statistics))
        .Add("train-batch+roll-back", new TrainBatch(2, Batch, 4, Statistics) { From = Saved })
        .Add("step-completed", new StepCompleted(2, Report))
        .Add("step-accepted", new StepAccepted(3))
        .Add("checkpoint-completed", new CheckpointCompleted(2, Saved))
        .Add("batch-refused", new BatchRefused(2, 1, "all rewards are 0"))
        .Add("checkpoint-unreadable", new CheckpointUnreadable(2, new CheckpointLost(Saved, "torn")))
        .Add("replayed-differently", new ReplayedDifferently(2, new ReplayDiverged(3, Hash, Parent)))
        .Add("learner-fenced", new LearnerFenced(1))
        .Add("checkpoint-now", new CheckpointNow())
        .Add("retain-policies", new PolicyPublisherActor.Retain(2))
        .Add("get-policy-source", new PolicyPublisherActor.GetPolicySource())
        .Add("policy-source-is", new PolicyPublisherActor.PolicySourceIs(new PolicySource("https://10.0.0.7:5601/", new Secret("0123456789abcdef"))))
        .Add("policy-source-is+run-directory", new PolicyPublisherActor.PolicySourceIs(PolicySource.RunDirectory))
        .Add("rank-ready", new GradientProtocol.RankReady("10.0.0.8/cuda:0", 7))
        .Add("shard-granted", Granted)
        .Add("shard-granted+cuts", Granted with { Cuts = [512, 512, 256] })
        .Add("submit-work", new SubmitWork(Work(7)))
        .Add("request-work", new RequestWork("127.0.0.1/cuda:0", 8))
        .Add("work-leased", new WorkLeased([Work(7), Work(8)]))
        .Add("work-leased+begun", new WorkLeased([Work(7) with { Begun = [InFlight(0), InFlight(3)] }]))
        .Add("work-leased+masked-draws", new WorkLeased([Work(7) with { Begun = [Drawn(InFlight(0)), Drawn(InFlight(3))] }]))
        .Add("canvases-reported", new CanvasesReported("127.0.0.1/cuda:0", Work(7), [InFlight(3)]))
        .Add("canvases-reported+nothing", new CanvasesReported("127.0.0.1/cuda:0", Work(7), []))
        .Add("complete-lease", new CompleteLease("127.0.0.1/cuda:0", 7))
        .Add("policies-published", new PoliciesPublished([Policy with { Version = 2, Kind = PayloadKind.Adapter }, Policy]))
        .Add("policies-published+canary", new PoliciesPublished([Policy with { Canary = -4.75 }]))
        .Add("policies-published+protocol", new PoliciesPublished([Policy with { Protocol = 2 }]))
        .Add("sampler-report", new SamplerReport("127.0.0.1/cpu", Statistics))
        .Add("sampler-report+canary", new SamplerReport("127.0.0.1/cpu", Statistics with { CanaryDifference = .25 }))
        .Add("trajectories-sampled", new TrajectoriesSampled(7, [Trajectory(0), Trajectory(1)]))
        .Add("trajectories-acknowledged", new TrajectoriesAcknowledged(7, [0, 1]))
        .Add("open-group", new OpenGroup(5_000_000_000, 3, true))
        .Add("group-finished", new GroupFinished(new GroupCompleted(7, 2, 3, Hash)))
        .Add("group-finished+filtered", new GroupFinished(new GroupFiltered(7, "reward pool 'answer' failed")))
        .Add("retire-group", new RetireGroup(7))
        .Add("score-rollouts", new ScoreRollouts(7, [new RewardRequest(new RolloutId(7, 0), Prompt, "12"), new RewardRequest(new RolloutId(7, 1), Prompt, "é")]))
        .Add("score-rollouts+guesses", new ScoreRollouts(7, [new RewardRequest(new RolloutId(7, 0), Prompt, "12") { Guesses = ["1é", "", "12"] }]))
        .Add("scoring-goes-on", new ScoringGoesOn(7, "answer"))
        .Add("rollouts-scored", new RolloutsScored(7, "answer", [(0, new RewardOutcome.Scored(.75, Metrics)), (1, new RewardOutcome.ModelFault("timeout")), (2, new RewardOutcome.InfraFault("host down"))]))
        .Add("rollouts-scored+guesses", new RolloutsScored(7, "answer", [(0, new RewardOutcome.Scored(.75, Metrics) { Guesses = [0, .5, 1] }), (1, new RewardOutcome.ModelFault("timeout") { Guesses = [-1] })]))
        .Add("get-group", new GetGroup(7, 4))
        .Add("group-content", new GroupContent(7, 8, [new ScoredTrajectory(Trajectory(0), 1, Metrics), new ScoredTrajectory(Trajectory(1), 0, Metrics)]))
        .Add("group-content+guesses", new GroupContent(7, 8, [new ScoredTrajectory(Trajectory(0) with { Guesses = ["1é", "", "12"] }, 1, Metrics) { GuessRewards = [0, .5, 1] }]))
        .Add("group-incomplete", new GroupIncomplete(7, "1/2 sampled"))
        .Add("part-status", Part)
        .Add("part-status+bare", new PartStatus("policy cache", Phase.Idle))
        .Add("ledger-status", Ledger)
        .Add("ledger-status+pool", Ledger with { PausedFor = "answer" })
        .Add("ledger-status+bare", Ledger with { Paused = null, CheckpointStep = null })
        .Add("part-failed", new PartFailed("sampler 127.0.0.1/cpu", new RunFailure("no space left on device", true)))
        .Add("get-run-status", new GetRunStatus())
        .Add("run-status", new RunStatus(Ledger, new RunFailure("out of memory", false), [Part, Part with { Part = "ledger" }]))
        .Add("run-status+healthy", new RunStatus(Ledger, null, []))
        .Add("part-given-up", new PartGivenUp("sampler host/cuda:0", 5, 10))
        .Add("pool-report", new PoolReport("answer", "akka://lateral@127.0.0.1:4053/user/reward-answer", "11 of 50"))
        .Add("pool-report+answers", new PoolReport("answer", "n", null))
        .Add("pool-report+answered", new PoolReport("answer", "n", "11 of 50") { HasAnswered = true })
        .Add("notice", new Notice("paused"))
        .Add("resume", new Resume())
        .Add("resumed", new Resumed())
        .Add("drain", new Drain())
        .Add("drained", new Drained(3));

    /// <summary>The manifest's name of a sample: what stands before the plus.</summary>
    public static string FormOf(string sample) => sample.Split('+')[0];

    public static Trajectory Trajectory(int sibling) => new(
        new RolloutId(7, sibling), [3, 1, 4], [1, 2, 10], [0, 2, -1], [-.5f, -1.25f, 0], [0, -.7f, 0], .3f, [new PolicySpan(0, 2, Hash), new PolicySpan(1, 3, Parent)], "12");

    private static RolloutInFlight InFlight(int sibling) => new(Trajectory(sibling) with { Tokens = [1, 11, 11], RevealStep = [0, -1, -1], TokenLogProbs = [-.5f, 0, 0], SelectionLogProbs = [-.7f], RevealEntropy = 0, Policies = [new PolicySpan(0, 2, Hash)], Text = "" }, .125);

    private static RolloutInFlight Drawn(RolloutInFlight begun) => begun with { SoFar = begun.SoFar with { RevealRank = [0, 0, 0], MaskedDraws = [7, 300] } };

    private static SampleWork Work(long group) => new(group, [0, 3], 2, true);
}
