using Lateral.Actors.Policies;
using Lateral.Actors.Serialization.Proto;
using Lateral.Core.Learning;
using Lateral.Core.Rollouts;
using Lateral.Core.Runs;
using static Lateral.Actors.Runs.RunProtocol;
using static Lateral.Actors.Serialization.Untrusted;

namespace Lateral.Actors.Serialization;

/// <summary>What the ledger and the learner's node say to each other.</summary>
internal static class LearnerCodec
{
    public static IEnumerable<MessageForm> Forms { get; } =
    [
        MessageForm.Of<LearnerHello, LearnerHelloProto>("learner-hello", m => new() { Owner = m.Owner }, p => new(p.Owner)),
        MessageForm.Of<LearnerAssignment, LearnerAssignmentProto>("learner-assignment", ToProto, FromProto),
        MessageForm.Of<GetStepToReplay, GetStepToReplayProto>("get-step-to-replay", m => new() { Epoch = m.Epoch, Step = m.Step }, p => new(p.Epoch, p.Step)),
        MessageForm.Of<StepToReplay, StepToReplayProto>(
            "step-to-replay",
            m => new() { Batch = RunEventCodec.ToProto(m.Step.Batch), Trained = RunEventCodec.ToProto(m.Step.Trained), From = ToProto(m.Step.From) },
            p => new(new ReplayStep(RunEventCodec.FromProto(p.Batch), RunEventCodec.FromProto(p.Trained)) { From = FromProto(p.From) })),
        MessageForm.Of<BaseCompleted, BaseCompletedProto>(
            "base-completed", m => new() { Epoch = m.Epoch, Ready = RunEventCodec.ToProto(m.Ready) }, p => new(p.Epoch, RunEventCodec.FromProto(p.Ready))),
        MessageForm.Of<BaseAccepted, BaseAcceptedProto>("base-accepted", m => new() { Samplers = ToProto(m.Samplers) }, p => new(FromProto(p.Samplers))),
        MessageForm.Of<LearnerIdle, LearnerIdleProto>("learner-idle", m => new() { Epoch = m.Epoch, Version = m.Version }, p => new(p.Epoch, p.Version)),
        MessageForm.Of<TrainBatch, TrainBatchProto>(
            "train-batch",
            m => new() { Epoch = m.Epoch, Batch = RunEventCodec.ToProto(m.Batch), PlannedGroups = m.PlannedGroups, Samplers = ToProto(m.Samplers), From = ToProto(m.From) },
            p => new(p.Epoch, RunEventCodec.FromProto(p.Batch), p.PlannedGroups, FromProto(p.Samplers)) { From = FromProto(p.From) }),
        MessageForm.Of<StepCompleted, StepCompletedProto>(
            "step-completed", m => new() { Trained = RunEventCodec.ToProto(new StepTrained(m.Epoch, m.Report)) }, p => Completed(RunEventCodec.FromProto(p.Trained))),
        MessageForm.Of<StepAccepted, StepAcceptedProto>("step-accepted", m => new() { Step = m.Step }, p => new(p.Step)),
        MessageForm.Of<CheckpointCompleted, CheckpointCompletedProto>(
            "checkpoint-completed", m => new() { Epoch = m.Epoch, Checkpoint = RunEventCodec.ToProto(m.Checkpoint) }, p => new(p.Epoch, RunEventCodec.FromProto(p.Checkpoint))),
        MessageForm.Of<ReplayedDifferently, ReplayedDifferentlyProto>(
            "replayed-differently", m => new() { Epoch = m.Epoch, Divergence = RunEventCodec.ToProto(m.Divergence) }, p => new(p.Epoch, RunEventCodec.FromProto(p.Divergence))),
        MessageForm.Of<BatchRefused, BatchRefusedProto>("batch-refused", m => new() { Epoch = m.Epoch, Step = m.Step, Reason = m.Reason }, p => new(p.Epoch, p.Step, p.Reason)),
        MessageForm.Of<CheckpointUnreadable, CheckpointUnreadableProto>(
            "checkpoint-unreadable", m => new() { Epoch = m.Epoch, Lost = RunEventCodec.ToProto(m.Lost) }, p => new(p.Epoch, RunEventCodec.FromProto(p.Lost))),
        MessageForm.Of<LearnerFenced, LearnerFencedProto>("learner-fenced", m => new() { Epoch = m.Epoch }, p => new(p.Epoch)),
        MessageForm.Of<CheckpointNow, CheckpointNowProto>("checkpoint-now", _ => new(), _ => new()),
        MessageForm.Of<PolicyPublisherActor.Retain, RetainPoliciesProto>("retain-policies", m => new() { OldestVersion = m.OldestVersion }, p => new(p.OldestVersion)),
        MessageForm.Of<PolicyPublisherActor.GetPolicySource, GetPolicySourceProto>("get-policy-source", _ => new(), _ => new()),
        MessageForm.Of<PolicyPublisherActor.PolicySourceIs, PolicySourceIsProto>("policy-source-is", ToProto, FromProto),
    ];

    private static PolicySourceIsProto ToProto(PolicyPublisherActor.PolicySourceIs m)
    {
        var proto = new PolicySourceIsProto();
        if (m.Source.Address is { } address) proto.Address = address;
        if (m.Source.Token is { } token) proto.Token = token.Reveal();
        return proto;
    }

    private static PolicyPublisherActor.PolicySourceIs FromProto(PolicySourceIsProto p)
    {
        Expect(!p.HasAddress || (Uri.TryCreate(p.Address, UriKind.Absolute, out var address) && address.Scheme is "http" or "https"), $"'{p.Address}' is no address of policies");
        return new(new PolicySource(p.HasAddress ? p.Address : null, p.HasToken ? new Secret(p.Token) : null));
    }

    public static SamplerStatisticsProto ToProto(SamplerStatistics s)
    {
        var proto = new SamplerStatisticsProto
        {
            BusySeconds = s.BusySeconds,
            IdleSeconds = s.IdleSeconds,
            SwapSeconds = s.SwapSeconds,
            Forwards = s.Forwards,
            RowSteps = s.RowSteps,
            SlotSteps = s.SlotSteps,
            Tokens = s.Tokens,
            Rollouts = s.Rollouts,
        };
        if (s.CanaryDifference is { } difference) proto.CanaryDifference = difference;
        return proto;
    }

    public static SamplerStatistics FromProto(SamplerStatisticsProto? p)
    {
        Required(p, "statistics");
        return new(p.BusySeconds, p.IdleSeconds, p.SwapSeconds, p.Forwards, p.RowSteps, p.SlotSteps, p.Tokens, p.Rollouts)
        {
            CanaryDifference = p.HasCanaryDifference ? p.CanaryDifference : null,
        };
    }

    private static StepCompleted Completed(StepTrained trained) => new(trained.Epoch, trained.Report);

    private static LearnerAssignmentProto ToProto(LearnerAssignment m) => new()
    {
        Epoch = m.Epoch,
        Base = m.Base is null ? null : RunEventCodec.ToProto(m.Base),
        Checkpoint = m.Checkpoint is null ? null : RunEventCodec.ToProto(m.Checkpoint),
        Version = m.Version,
        Samplers = ToProto(m.Samplers),
        Earlier = ToProto(m.Earlier),
    };

    private static CheckpointProto? ToProto(Checkpoint? checkpoint) => checkpoint is null ? null : RunEventCodec.ToProto(checkpoint);

    private static Checkpoint? FromProto(CheckpointProto? p) => p is null ? null : RunEventCodec.FromProto(p);

    private static LearnerAssignment FromProto(LearnerAssignmentProto p)
    {
        Expect(p.Base is null == p.Checkpoint is null, "there is a base without a checkpoint, or a checkpoint without a base");
        return new(
            p.Epoch, p.Base is null ? null : RunEventCodec.FromProto(p.Base), p.Checkpoint is null ? null : RunEventCodec.FromProto(p.Checkpoint),
            p.Version, FromProto(p.Samplers))
        { Earlier = FromProto(p.Earlier) };
    }
}
