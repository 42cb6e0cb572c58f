using Akka.Actor;
using Akka.Serialization;
using Google.Protobuf;
using Lateral.Actors.Serialization.Proto;
using Lateral.Core.Runs;

namespace Lateral.Actors.Serialization;

/// <summary>
/// The only serializer of Lateral's persisted types: protobuf behind a closed switch of short manifests, so that a row of
/// the journal can never name a type to create.
/// </summary>
public sealed class EventSerializer(ExtendedActorSystem system) : SerializerWithStringManifest(system)
{
    public override int Identifier => 7001;

    public override string Manifest(object o) => o switch
    {
        EpochGranted => "ep1",
        BaseReady => "br1",
        GroupIssued => "gi1",
        GroupCompleted => "gc1",
        GroupFiltered => "gf1",
        BatchFormed => "bf1",
        StepTrained => "st1",
        CheckpointCommitted => "cc1",
        ReplayDiverged => "rd1",
        RunPaused => "rp1",
        RunResumed => "rr1",
        RolledBack => "rb1",
        CheckpointLost => "cl1",
        SpikeSeen => "ss1",
        RunLedger => "ls1",
        TrajectoriesRecorded => "tr1",
        RewardsRecorded => "rw1",
        InfraFaultRecorded => "if1",
        PoolSkipped => "ps1",
        GroupQuarantined => "gq1",
        _ => throw new ArgumentException($"{o.GetType()} has no manifest: it is neither an event nor a snapshot", nameof(o)),
    };

    public override byte[] ToBinary(object obj) => Encode(obj).ToByteArray();

    public override object FromBinary(byte[] bytes, string manifest) => Decode(bytes, manifest);

    /// <exception cref="System.Runtime.Serialization.SerializationException">the manifest is not one of ours, or the bytes are not what it says</exception>
    internal static object Decode(byte[] bytes, string manifest) => Untrusted.Read(manifest, bytes, row => Parse(row, manifest));

    private static object Parse(byte[] bytes, string manifest) => manifest switch
    {
        "ep1" => RunEventCodec.FromProto(EpochGrantedProto.Parser.ParseFrom(bytes)),
        "br1" => RunEventCodec.FromProto(BaseReadyProto.Parser.ParseFrom(bytes)),
        "gi1" => RunEventCodec.FromProto(GroupIssuedProto.Parser.ParseFrom(bytes)),
        "gc1" => RunEventCodec.FromProto(GroupCompletedProto.Parser.ParseFrom(bytes)),
        "gf1" => RunEventCodec.FromProto(GroupFilteredProto.Parser.ParseFrom(bytes)),
        "bf1" => RunEventCodec.FromProto(BatchFormedProto.Parser.ParseFrom(bytes)),
        "st1" => RunEventCodec.FromProto(StepTrainedProto.Parser.ParseFrom(bytes)),
        "cc1" => RunEventCodec.FromProto(CheckpointCommittedProto.Parser.ParseFrom(bytes)),
        "rd1" => RunEventCodec.FromProto(ReplayDivergedProto.Parser.ParseFrom(bytes)),
        "rp1" => RunEventCodec.FromProto(RunPausedProto.Parser.ParseFrom(bytes)),
        "rr1" => new RunResumed(),
        "rb1" => RunEventCodec.FromProto(RolledBackProto.Parser.ParseFrom(bytes)),
        "cl1" => RunEventCodec.FromProto(CheckpointLostProto.Parser.ParseFrom(bytes)),
        "ss1" => ReadSpike(SpikeSeenProto.Parser.ParseFrom(bytes)),
        "ls1" => RunEventCodec.FromProto(LedgerSnapshotProto.Parser.ParseFrom(bytes)),
        "tr1" => GroupEventCodec.FromProto(TrajectoriesRecordedProto.Parser.ParseFrom(bytes)),
        "rw1" => GroupEventCodec.FromProto(RewardsRecordedProto.Parser.ParseFrom(bytes)),
        "if1" => ReadFault(InfraFaultRecordedProto.Parser.ParseFrom(bytes)),
        "ps1" => ReadSkip(PoolSkippedProto.Parser.ParseFrom(bytes)),
        "gq1" => new GroupQuarantined(GroupQuarantinedProto.Parser.ParseFrom(bytes).Reason),
        _ => throw new FormatException("the manifest is unknown: written by a newer version?"),
    };

    private static SpikeSeen ReadSpike(SpikeSeenProto p) => new(p.Step, p.Reason);

    private static InfraFaultRecorded ReadFault(InfraFaultRecordedProto p) => new(p.Pool, p.Kind);

    private static PoolSkipped ReadSkip(PoolSkippedProto p) => new(p.Pool, p.Reason);

    private static IMessage Encode(object obj) => obj switch
    {
        EpochGranted e => RunEventCodec.ToProto(e),
        BaseReady e => RunEventCodec.ToProto(e),
        GroupIssued e => RunEventCodec.ToProto(e),
        GroupCompleted e => RunEventCodec.ToProto(e),
        GroupFiltered e => RunEventCodec.ToProto(e),
        BatchFormed e => RunEventCodec.ToProto(e),
        StepTrained e => RunEventCodec.ToProto(e),
        CheckpointCommitted e => RunEventCodec.ToProto(e),
        ReplayDiverged e => RunEventCodec.ToProto(e),
        RunPaused e => RunEventCodec.ToProto(e),
        RunResumed => new RunResumedProto(),
        RolledBack e => RunEventCodec.ToProto(e),
        CheckpointLost e => RunEventCodec.ToProto(e),
        SpikeSeen e => new SpikeSeenProto { Step = e.Step, Reason = e.Reason },
        RunLedger e => RunEventCodec.ToProto(e),
        TrajectoriesRecorded e => GroupEventCodec.ToProto(e),
        RewardsRecorded e => GroupEventCodec.ToProto(e),
        InfraFaultRecorded e => new InfraFaultRecordedProto { Pool = e.Pool, Kind = e.Kind },
        PoolSkipped e => new PoolSkippedProto { Pool = e.Pool, Reason = e.Reason },
        GroupQuarantined e => new GroupQuarantinedProto { Reason = e.Reason },
        _ => throw new ArgumentException($"{obj.GetType()} is not persisted", nameof(obj)),
    };
}
