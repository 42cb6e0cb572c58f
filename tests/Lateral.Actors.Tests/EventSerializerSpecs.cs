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
        { "cc1", new CheckpointCommitted(new Checkpoint(3, "checkpoints/step_3", Hash)) },
        { "rd1", new ReplayDiverged(3, Hash, Hash) },
        { "rp1", new RunPaused("rewards") },
        { "rr1", new RunResumed() },
        { "ls1", Ledger() },
        { "tr1", new TrajectoriesRecorded([Trajectory(0), Trajectory(1)]) },
        { "rw1", new RewardsRecorded("answer", [new PoolReward(0, 1, null, Metrics), new PoolReward(1, 0, "timeout", ImmutableSortedDictionary<string, double>.Empty)]) },
        { "if1", new InfraFaultRecorded("answer", "host down") },
        { "gq1", new GroupQuarantined("three faults") },
    };

    public void Dispose() => _system.Dispose();

    [Theory]
    [MemberData(nameof(Samples))]
    public void Event_must_keep_its_manifest_and_its_golden_bytes(string manifest, object sample)
    {
        var serializer = new EventSerializer((ExtendedActorSystem)_system);
        Assert.Equal(manifest, serializer.Manifest(sample));
        var bytes = serializer.ToBinary(sample);
        var golden = File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "Golden", $"{manifest}.hex")).Trim();
        Assert.Equal(golden, Convert.ToHexStringLower(bytes));
        // Records hold arrays, so equality is that of a second round of bytes, and of what they print.
        var read = serializer.FromBinary(Convert.FromHexString(golden), manifest);
        Assert.Equal(sample.GetType(), read.GetType());
        Assert.Equal(bytes, serializer.ToBinary(read));
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
    public void Unknown_manifest_and_unknown_type_must_be_refused()
    {
        var serializer = new EventSerializer((ExtendedActorSystem)_system);
        Assert.Throws<SerializationException>(() => serializer.FromBinary([], "System.String"));
        Assert.Throws<ArgumentException>(() => serializer.Manifest("text"));
    }

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
        LastCheckpoint = new Checkpoint(2, "checkpoints/step_2", Hash),
        SinceCheckpoint = [new ReplayStep(Batch, Step)],
        PauseReason = "rewards",
    };
}
