using System.Collections.Immutable;
using Google.Protobuf;
using Google.Protobuf.Collections;
using Lateral.Actors.Serialization.Proto;
using Lateral.Core.Learning;
using Lateral.Core.Policies;
using Lateral.Core.Runs;
using static Lateral.Actors.Serialization.Untrusted;

namespace Lateral.Actors.Serialization;

/// <summary>The run's events to and from protobuf.</summary>
internal static class RunEventCodec
{
    public static EpochGrantedProto ToProto(EpochGranted e) => new() { Epoch = e.Epoch, Owner = e.Owner };

    public static EpochGranted FromProto(EpochGrantedProto p) => new(p.Epoch, p.Owner);

    public static BaseReadyProto ToProto(BaseReady e)
    {
        var proto = new BaseReadyProto { Policy = ToProto(e.Policy), Checkpoint = ToProto(e.Checkpoint) };
        Fill(proto.Metrics, e.Metrics);
        return proto;
    }

    public static BaseReady FromProto(BaseReadyProto? p)
    {
        Required(p, "base");
        return new(FromProto(p.Policy), FromProto(p.Checkpoint), Read(p.Metrics));
    }

    public static GroupIssuedProto ToProto(GroupIssued e) => new() { Ordinal = e.Ordinal, Version = e.Version };

    public static GroupIssued FromProto(GroupIssuedProto p) => new(p.Ordinal, p.Version);

    public static GroupCompletedProto ToProto(GroupCompleted e) =>
        new() { Ordinal = e.Ordinal, OldestVersion = e.OldestVersion, NewestVersion = e.NewestVersion, Hash = Hash(e.Hash) };

    public static GroupCompleted FromProto(GroupCompletedProto p) => new(p.Ordinal, p.OldestVersion, p.NewestVersion, Hash(p.Hash));

    public static GroupFilteredProto ToProto(GroupFiltered e) => new() { Ordinal = e.Ordinal, Reason = e.Reason };

    public static GroupFiltered FromProto(GroupFilteredProto p) => new(p.Ordinal, p.Reason);

    public static BatchFormedProto ToProto(BatchFormed e)
    {
        var proto = new BatchFormedProto { Step = e.Step };
        proto.Ordinals.AddRange(e.Groups.Select(group => group.Ordinal));
        proto.Hashes.AddRange(e.Groups.Select(group => Hash(group.Hash)));
        return proto;
    }

    public static BatchFormed FromProto(BatchFormedProto? p)
    {
        Required(p, "batch");
        Expect(p.Ordinals.Count == p.Hashes.Count, $"batch {p.Step} has {p.Ordinals.Count} groups and {p.Hashes.Count} hashes");
        return new(p.Step, [.. p.Ordinals.Zip(p.Hashes, (ordinal, hash) => new BatchGroup(ordinal, Hash(hash)))]);
    }

    public static StepTrainedProto ToProto(StepTrained e)
    {
        var report = new StepReportProto { Step = e.Report.Step, Policy = ToProto(e.Report.Policy), Skipped = e.Report.Skipped };
        Fill(report.Metrics, e.Report.Metrics);
        if (e.Report.Decision is { } decision) report.Decision = ToProto(decision);
        return new StepTrainedProto { Epoch = e.Epoch, Report = report };
    }

    public static StepTrained FromProto(StepTrainedProto? p)
    {
        var report = Required(Required(p, "step").Report, "report");
        return new(p.Epoch, new StepReport(report.Step, FromProto(report.Policy), report.Skipped, Read(report.Metrics))
        {
            Decision = report.Decision is { } decision ? FromProto(decision) : null,
        });
    }

    public static CheckpointCommittedProto ToProto(CheckpointCommitted e) => new() { Checkpoint = ToProto(e.Checkpoint) };

    public static CheckpointCommitted FromProto(CheckpointCommittedProto p) => new(FromProto(p.Checkpoint));

    public static ReplayDivergedProto ToProto(ReplayDiverged e) =>
        new() { Step = e.Step, Published = Hash(e.Published), Replayed = Hash(e.Replayed) };

    public static ReplayDiverged FromProto(ReplayDivergedProto? p)
    {
        Required(p, "divergence");
        return new(p.Step, Hash(p.Published), Hash(p.Replayed));
    }

    public static RunPausedProto ToProto(RunPaused e)
    {
        var proto = new RunPausedProto { Reason = e.Reason };
        if (e.Pool is { } pool) proto.Pool = pool;
        return proto;
    }

    public static RunPaused FromProto(RunPausedProto p) => new(p.Reason) { Pool = p.HasPool ? p.Pool : null };

    public static RolledBackProto ToProto(RolledBack e) => new() { Step = e.Step, To = ToProto(e.To), Reason = e.Reason };

    public static RolledBack FromProto(RolledBackProto p) => new(p.Step, FromProto(p.To), p.Reason);

    public static CheckpointLostProto ToProto(CheckpointLost e) => new() { Checkpoint = ToProto(e.Checkpoint), Reason = e.Reason };

    public static CheckpointLost FromProto(CheckpointLostProto? p)
    {
        Required(p, "checkpoint");
        return new(FromProto(p.Checkpoint), p.Reason);
    }

    public static LedgerSnapshotProto ToProto(RunLedger ledger)
    {
        var proto = new LedgerSnapshotProto
        {
            GroupsPerStep = ledger.Settings.GroupsPerStep,
            MaxStaleness = ledger.Settings.MaxStaleness,
            Steps = ledger.Settings.Steps,
            Deterministic = ledger.Settings.Deterministic,
            Epoch = ledger.Epoch,
            Base = ledger.Base is { } ready ? ToProto(ready) : null,
            Version = ledger.Version,
            Issued = ledger.Issued,
            Trained = ledger.Trained,
            Filtered = ledger.Filtered,
            Pending = ledger.Pending is { } pending ? ToProto(pending) : null,
            LastCheckpoint = ledger.LastCheckpoint is { } checkpoint ? ToProto(checkpoint) : null,
            SkippedInARow = ledger.SkippedInARow,
            Undone = ledger.Undone,
            SpikeAnswered = ledger.SpikeAnswered,
            LastRollBack = ledger.LastRollBack,
        };
        if (ledger.Pause is { } pause) proto.PauseReason = pause.Reason;
        if (ledger.Pause?.Pool is { } pool) proto.PausePool = pool;
        proto.Course.AddRange(ledger.Course.Select(step => new StepGaugesProto { Step = step.Step, Values = { step.Values } }));
        proto.Checkpoints.AddRange(ledger.Checkpoints.Select(ToProto));
        proto.RollBacks.AddRange(ledger.RollBacks.Select(rolled => new RolledBackProto { Step = rolled.Key, To = ToProto(rolled.Value) }));
        proto.Policies.AddRange(ledger.Policies.Values.Select(ToProto));
        proto.Running.AddRange(ledger.Running.Values.Select(group => ToProto(new GroupIssued(group.Ordinal, group.Version))));
        proto.Waiting.AddRange(ledger.Waiting.Values.Select(g => ToProto(new GroupCompleted(g.Ordinal, g.OldestVersion, g.NewestVersion, g.Hash))));
        proto.ReplayBatches.AddRange(ledger.SinceCheckpoint.Select(step => ToProto(step.Batch)));
        proto.ReplaySteps.AddRange(ledger.SinceCheckpoint.Select(step => ToProto(step.Trained)));
        return proto;
    }

    public static RunLedger FromProto(LedgerSnapshotProto p) =>
        new(new LedgerSettings(p.GroupsPerStep, p.MaxStaleness, p.Steps, p.Deterministic))
        {
            Epoch = p.Epoch,
            Base = p.Base is null ? null : FromProto(p.Base),
            Version = p.Version,
            Policies = p.Policies.Select(FromProto).ToImmutableSortedDictionary(policy => policy.Version, policy => policy),
            Issued = p.Issued,
            Trained = p.Trained,
            Filtered = p.Filtered,
            Running = p.Running.ToImmutableSortedDictionary(group => group.Ordinal, group => new RunningGroup(group.Ordinal, group.Version)),
            Waiting = p.Waiting.ToImmutableSortedDictionary(g => g.Ordinal, g => new WaitingGroup(g.Ordinal, g.OldestVersion, g.NewestVersion, Hash(g.Hash))),
            Pending = p.Pending is null ? null : FromProto(p.Pending),
            Undone = p.Undone,
            Checkpoints = p.Checkpoints.Count == 0 && p.LastCheckpoint is not null ? [FromProto(p.LastCheckpoint)] : [.. p.Checkpoints.Select(FromProto)],
            SinceCheckpoint = [.. p.ReplayBatches.Zip(p.ReplaySteps, (batch, step) => new ReplayStep(FromProto(batch), FromProto(step)))],
            RollBacks = p.RollBacks.ToImmutableSortedDictionary(rolled => rolled.Step, rolled => FromProto(rolled.To)),
            SkippedInARow = p.SkippedInARow,
            Course = [.. p.Course.Select(step => new StepGauges(step.Step, [.. step.Values]))],
            SpikeAnswered = p.SpikeAnswered,
            LastRollBack = p.LastRollBack,
            Pause = p.HasPauseReason ? new RunPaused(p.PauseReason) { Pool = p.HasPausePool ? p.PausePool : null } : null,
        };

    public static ByteString Hash(string hex) => ByteString.CopyFrom(Convert.FromHexString(hex));

    public static string Hash(ByteString bytes) => Convert.ToHexStringLower(bytes.Span);

    public static void Fill(MapField<string, double> map, ImmutableSortedDictionary<string, double> values)
    {
        foreach (var (name, value) in values) map.Add(name, value);
    }

    public static ImmutableSortedDictionary<string, double> Read(MapField<string, double> map) =>
        map.ToImmutableSortedDictionary(pair => pair.Key, pair => pair.Value, StringComparer.Ordinal);

    public static PolicyManifestProto ToProto(PolicyManifest m)
    {
        var proto = new PolicyManifestProto
        {
            Epoch = m.Epoch,
            Version = m.Version,
            Hash = Hash(m.Hash),
            ParentHash = Hash(m.ParentHash),
            Kind = (int)m.Kind,
            Bytes = m.Bytes,
            Location = m.Location,
        };
        if (m.Canary is { } canary) proto.Canary = canary;
        if (m.Protocol != PolicyManifest.WholePayload) proto.Protocol = m.Protocol;
        return proto;
    }

    public static PolicyManifest FromProto(PolicyManifestProto? p)
    {
        Required(p, "policy");
        Expect(Enum.IsDefined((PayloadKind)p.Kind), $"a policy's payload is of kind {p.Kind}");
        return new(p.Epoch, p.Version, Hash(p.Hash), Hash(p.ParentHash), (PayloadKind)p.Kind, p.Bytes, p.Location)
        {
            Canary = p.HasCanary ? p.Canary : null,
            Protocol = p.Protocol == 0 ? PolicyManifest.WholePayload : p.Protocol,
        };
    }

    private static StepDecisionProto ToProto(StepDecision decision) => new()
    {
        Updates = decision.Updates,
        FirstShards = { decision.MicroBatches.Select(span => span.FirstShard) },
        Tokens = { decision.MicroBatches.Select(span => span.Tokens) },
    };

    private static StepDecision FromProto(StepDecisionProto p)
    {
        Expect(p.FirstShards.Count == p.Tokens.Count, $"a step's micro-batches have {p.FirstShards.Count} shards and {p.Tokens.Count} sizes");
        return new(p.Updates, [.. p.FirstShards.Zip(p.Tokens, (shard, tokens) => new MicroBatchSpan(shard, tokens))]);
    }

    public static CheckpointProto ToProto(Checkpoint c) => new() { Step = c.Step, Location = c.Location, Hash = Hash(c.Hash) };

    public static Checkpoint FromProto(CheckpointProto? p)
    {
        Required(p, "checkpoint");
        return new(p.Step, p.Location, Hash(p.Hash));
    }
}
