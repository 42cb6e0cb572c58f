using System.Collections.Immutable;
using System.Reflection;
using System.Runtime.Serialization;
using Akka.Actor;
using Lateral.Actors.Serialization;
using Lateral.Core.Learning;
using Lateral.Core.Policies;
using Lateral.Core.Rollouts;
using Lateral.Core.Runs;

namespace Lateral.Actors.Tests;

/// <summary>What was ever journaled stays readable: the bytes of every manifest are kept as a file.</summary>
public sealed class EventSerializerSpecs : IDisposable
{
    private static readonly string Hash = string.Concat(Enumerable.Repeat("0a", 32));
    private static readonly ImmutableSortedDictionary<string, double> Metrics = ImmutableSortedDictionary<string, double>.Empty.Add("reward/mean", .5);
    private static readonly PolicyManifest Policy = new(2, 3, Hash, Hash, PayloadKind.Full, 499_104, "policies/v3.safetensors");
    private static readonly StepTrained Step = new(2, new StepReport(3, Policy, true, Metrics));
    private static readonly BatchFormed Batch = new(3, [new BatchGroup(4, Hash), new BatchGroup(7, Hash)]);

    private readonly ActorSystem _system = ActorSystem.Create("serializer", "akka.loglevel = OFF");

    public static TheoryData<string, object> Samples { get; } = new()
    {
        { "ep1", new EpochGranted(2, "host/1") },
        { "br1", new BaseReady(Policy, new Checkpoint(0, "checkpoints/step_0", Hash), Metrics) },
        { "gi1", new GroupIssued(5_000_000_000, 3) },
        { "gc1", new GroupCompleted(7, 2, 3, Hash) },
        { "gf1", new GroupFiltered(7, "reward pool 'answer' failed") },
        { "bf1", Batch },
        { "st1", Step },
        { "st1+decision", Step with { Report = Step.Report with { Decision = new StepDecision(1, [new MicroBatchSpan(0, 16_384), new MicroBatchSpan(5, 8_192)]) } } },
        { "st1+canary", Step with { Report = Step.Report with { Policy = Policy with { Canary = -4.75 } } } },
        { "cc1", new CheckpointCommitted(new Checkpoint(3, "checkpoints/step_3", Hash)) },
        { "rd1", new ReplayDiverged(3, Hash, Hash) },
        { "rp1", new RunPaused("rewards") },
        { "rp1+pool", new RunPaused("no answer") { Pool = "answer" } },
        { "rr1", new RunResumed() },
        { "rb1", new RolledBack(7, new Checkpoint(3, "checkpoints/step_3", Hash), "the gradient was not finite") },
        { "cl1", new CheckpointLost(new Checkpoint(3, "checkpoints/step_3", Hash), "model.safetensors has another hash") },
        { "ss1", new SpikeSeen(7, "optim/grad_norm is 3") },
        { "ls1", Ledger() },
        { "ls1+course", Ledger() with { Course = [new StepGauges(2, [-.5, 1, double.NaN]), new StepGauges(3, [.25, 3, .125])], SpikeAnswered = 3, LastRollBack = 2 } },
        { "tr1", new TrajectoriesRecorded([Trajectory(0), Trajectory(1)]) },
        { "tr1+order", new TrajectoriesRecorded([Trajectory(0) with { RevealRank = [1, 0, 0] }]) },
        { "tr1+masked-draws", new TrajectoriesRecorded([Trajectory(0) with { RevealRank = [1, 0, 0], MaskedDraws = [7, 300] }]) },
        { "tr1+surrogate", new TrajectoriesRecorded([Trajectory(0) with { Surrogate = new SurrogateValues("coupled(mask-high=0.8,mask-low=0.2)/token", [-1.5f, -.25f]) }]) },
        { "tr1+given", new TrajectoriesRecorded([Trajectory(0) with { Given = [2, 300] }]) },
        { "tr1+guesses", new TrajectoriesRecorded([Trajectory(0) with { Guesses = ["1é", "", "12"] }]) },
        { "rw1+guesses", new RewardsRecorded("answer", [new PoolReward(0, 1, null, Metrics) { Guesses = [0, .5, 1] }]) },
        { "rw1", new RewardsRecorded("answer", [new PoolReward(0, 1, null, Metrics), new PoolReward(1, 0, "timeout", ImmutableSortedDictionary<string, double>.Empty)]) },
        { "if1", new InfraFaultRecorded("answer", "host down") },
        { "ps1", new PoolSkipped("judge", "reward pool 'judge' failed 3 times: 503") },
        { "gq1", new GroupQuarantined("three faults") },
    };

    public void Dispose() => _system.Dispose();

    [Theory]
    [MemberData(nameof(Samples))]
    public void Event_must_keep_its_manifest_and_its_golden_bytes(string name, object sample)
    {
        var serializer = new EventSerializer((ExtendedActorSystem)_system);
        var manifest = name.Split('+')[0];
        Assert.Equal(manifest, serializer.Manifest(sample));
        var bytes = serializer.ToBinary(sample);
        var golden = Golden(name);
        Assert.Equal(golden, Convert.ToHexStringLower(bytes));
        // Records hold arrays, so equality is that of a second round of bytes, and of what they print.
        var read = serializer.FromBinary(Convert.FromHexString(golden), manifest);
        Assert.Equal(sample.GetType(), read.GetType());
        Assert.Equal(bytes, serializer.ToBinary(read));
    }

    [Fact]
    public void Snapshot_of_before_there_were_two_checkpoints_must_be_read_with_the_one_it_has()
    {
        var read = (RunLedger)new EventSerializer((ExtendedActorSystem)_system).FromBinary(Convert.FromHexString(Golden("ls1-one-checkpoint")), "ls1");
        Assert.Equal(new Checkpoint(2, "checkpoints/step_2", Hash), Assert.Single(read.Checkpoints));
        Assert.Equal((2, 3, 12L, 6L, 1L, 0L, 0), (read.LastCheckpoint!.Step, read.Version, read.Issued, read.Trained, read.Filtered, read.Undone, read.SkippedInARow));
        Assert.Equal("rewards", read.PauseReason);
        Assert.Null(read.Pause!.Pool);
        Assert.Empty(read.RollBacks);
        // It says that the step was skipped and no more: a replay skips it whole.
        Assert.Equal(StepDecision.SkippedWhole, Assert.Single(read.SinceCheckpoint).Trained.Report.ToObey);
    }

    [Fact]
    public void Policy_must_come_back_with_its_canary_and_without_one_where_it_was_published_by_what_has_none()
    {
        var serializer = new EventSerializer((ExtendedActorSystem)_system);
        PolicyManifest Read(string name) => ((StepTrained)serializer.FromBinary(Convert.FromHexString(Golden(name)), "st1")).Report.Policy;
        Assert.Equal(Policy with { Canary = -4.75 }, Read("st1+canary"));
        Assert.Equal(Policy, Read("st1"));
        // Zero is a number, not the absence of one.
        var certain = Step with { Report = Step.Report with { Policy = Policy with { Canary = 0 } } };
        Assert.Equal(0, ((StepTrained)serializer.FromBinary(serializer.ToBinary(certain), "st1")).Report.Policy.Canary);
    }

    [Fact]
    public void Every_event_type_must_have_a_sample()
    {
        var types = typeof(IRunEvent).Assembly.GetTypes().Where(type => type.IsClass && (type.IsAssignableTo(typeof(IRunEvent)) || type.IsAssignableTo(typeof(IGroupEvent))));
        var sampled = Samples.Select(row => row[1].GetType()).ToHashSet();
        Assert.All(types, type => Assert.Contains(type, sampled));
    }

    [Fact]
    public void Trajectory_must_survive_unchanged_in_every_field()
    {
        var serializer = new EventSerializer((ExtendedActorSystem)_system);
        var sample = Trajectory(1);
        var read = Assert.Single(((TrajectoriesRecorded)serializer.FromBinary(serializer.ToBinary(new TrajectoriesRecorded([sample])), "tr1")).Trajectories);
        foreach (var property in typeof(Trajectory).GetProperties(BindingFlags.Public | BindingFlags.Instance))
        {
            var (expected, actual) = (property.GetValue(sample), property.GetValue(read));
            if (expected is System.Collections.IEnumerable list and not string) Assert.Equal(list.Cast<object>(), ((System.Collections.IEnumerable)actual!).Cast<object>());
            else Assert.Equal(expected, actual);
        }
    }

    [Fact]
    public void Trajectory_must_come_back_with_its_masked_draws_and_without_any_where_it_was_journaled_before_there_were_some()
    {
        var serializer = new EventSerializer((ExtendedActorSystem)_system);
        Trajectory Read(string name) => Assert.Single(((TrajectoriesRecorded)serializer.FromBinary(Convert.FromHexString(Golden(name)), "tr1")).Trajectories);
        Assert.Equal([7, 300], Read("tr1+masked-draws").MaskedDraws.AsEnumerable());
        Assert.Empty(Read("tr1+order").MaskedDraws);
    }

    [Fact]
    public void Unknown_manifest_and_unknown_type_must_be_refused()
    {
        var serializer = new EventSerializer((ExtendedActorSystem)_system);
        Assert.Throws<SerializationException>(() => serializer.FromBinary([], "System.String"));
        Assert.Throws<ArgumentException>(() => serializer.Manifest("text"));
    }

    private static string Golden(string name) => File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "Golden", $"{name}.hex")).Trim();

    private static Trajectory Trajectory(int sibling) => new(
        new RolloutId(7, sibling), [3, 1, 4], [1, 2, 10], [0, 2, -1], [-.5f, -1.25f, 0], [0, -.7f, 0], .3f, [new PolicySpan(0, 2, Hash), new PolicySpan(1, 3, Hash)], "12");

    private static RunLedger Ledger() => new(new LedgerSettings(2, 1, 10, true))
    {
        Epoch = 2,
        Base = new BaseReady(Policy, new Checkpoint(0, "checkpoints/step_0", Hash), Metrics),
        Version = 3,
        Policies = ImmutableSortedDictionary<int, PolicyManifest>.Empty.Add(3, Policy),
        Issued = 12,
        Trained = 6,
        Filtered = 1,
        Running = ImmutableSortedDictionary<long, RunningGroup>.Empty.Add(9, new RunningGroup(9, 3)),
        Waiting = ImmutableSortedDictionary<long, WaitingGroup>.Empty.Add(8, new WaitingGroup(8, 2, 3, Hash)),
        Pending = Batch,
        Checkpoints = [new Checkpoint(1, "checkpoints/step_1", Hash), new Checkpoint(2, "checkpoints/step_2", Hash)],
        SinceCheckpoint = [new ReplayStep(Batch, Step)],
        RollBacks = ImmutableSortedDictionary<int, Checkpoint>.Empty.Add(3, new Checkpoint(1, "checkpoints/step_1", Hash)),
        SkippedInARow = 1,
        Undone = 1,
        Pause = new RunPaused("rewards") { Pool = "answer" },
    };
}
