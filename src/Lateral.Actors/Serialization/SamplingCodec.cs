using System.Collections.Immutable;
using Lateral.Actors.Serialization.Proto;
using Lateral.Core.Rollouts;
using Lateral.Core.Runs;
using static Lateral.Actors.Rollouts.GroupProtocol;
using static Lateral.Actors.Runs.RunProtocol;
using static Lateral.Actors.Sampling.SamplingProtocol;
using static Lateral.Actors.Serialization.Untrusted;

namespace Lateral.Actors.Serialization;

/// <summary>What samplers, the dispatcher and group entities say to one another.</summary>
internal static class SamplingCodec
{
    public static IEnumerable<MessageForm> Forms { get; } =
    [
        MessageForm.Of<SubmitWork, SubmitWorkProto>("submit-work", m => new() { Work = ToProto(m.Work) }, p => new(FromProto(p.Work))),
        MessageForm.Of<RequestWork, RequestWorkProto>(
            "request-work", m => new() { Sampler = m.Sampler, FreeSlots = m.FreeSlots }, p => new(p.Sampler, p.FreeSlots)),
        MessageForm.Of<WorkLeased, WorkLeasedProto>("work-leased", m => new() { Work = { m.Work.Select(ToProto) } }, p => new([.. p.Work.Select(FromProto)])),
        MessageForm.Of<CanvasesReported, CanvasesReportedProto>(
            "canvases-reported",
            m => new() { Sampler = m.Sampler, Work = ToProto(m.Work with { Begun = m.Canvases }) },
            FromProto),
        MessageForm.Of<CompleteLease, CompleteLeaseProto>(
            "complete-lease", m => new() { Sampler = m.Sampler, Group = m.Group }, p => new(p.Sampler, p.Group)),
        MessageForm.Of<PoliciesPublished, PoliciesPublishedProto>(
            "policies-published", m => new() { Policies = { m.Policies.Select(RunEventCodec.ToProto) } }, FromProto),
        MessageForm.Of<SamplerReport, SamplerReportProto>(
            "sampler-report", m => new() { Sampler = m.Sampler, Statistics = LearnerCodec.ToProto(m.Statistics) }, p => new(p.Sampler, LearnerCodec.FromProto(p.Statistics))),
        MessageForm.Of<TrajectoriesSampled, TrajectoriesSampledProto>("trajectories-sampled", ToProto, FromProto),
        MessageForm.Of<TrajectoriesAcknowledged, TrajectoriesAcknowledgedProto>(
            "trajectories-acknowledged", m => new() { Group = m.Group, Siblings = { m.Siblings } }, p => new(p.Group, [.. p.Siblings])),
    ];

    /// <summary>A trajectory whose lists do not fit each other would fail in the group's entity, or in the learner much later.</summary>
    public static Trajectory ReadTrajectory(long group, ImmutableArray<int> prompt, TrajectoryProto p)
    {
        Expect(p.RevealRank.Count == 0 || p.RevealRank.Count == p.Tokens.Count, $"sibling {p.Sibling} has {p.Tokens.Count} tokens and {p.RevealRank.Count} places in their order");
        Expect(p.MaskedDraws.Count <= (long)p.SelectionLogProbs.Count * p.Tokens.Count, $"sibling {p.Sibling} has {p.MaskedDraws.Count} draws that stayed masked, more than {p.SelectionLogProbs.Count} steps of {p.Tokens.Count} tokens make");
        Expect(p.RevealStep.Count == p.Tokens.Count && p.TokenLogProbs.Count == p.Tokens.Count, $"sibling {p.Sibling} has {p.Tokens.Count} tokens, {p.RevealStep.Count} reveal steps and {p.TokenLogProbs.Count} log-probs");
        Expect(p.Guesses.Count == 0 || p.Guesses.Count == p.SelectionLogProbs.Count, $"sibling {p.Sibling} has {p.Guesses.Count} guesses for {p.SelectionLogProbs.Count} steps");
        Expect(p.Given.All(position => (uint)position < (uint)p.RevealStep.Count && p.RevealStep[position] == -1) && p.Given.Zip(p.Given.Skip(1), (one, next) => one < next).All(ascending => ascending), $"sibling {p.Sibling} was given tokens that its {p.Tokens.Count} positions do not have, that a step revealed, or twice");
        Expect(p.Policies.Count > 0, $"sibling {p.Sibling} was sampled under no policy");
        return GroupEventCodec.FromProto(group, prompt, p);
    }

    private static SampleWorkProto ToProto(SampleWork work) => new()
    {
        Group = work.Group,
        Siblings = { work.Siblings },
        Version = work.Version,
        Pinned = work.Pinned,
        Prompt = { work.Begun.IsEmpty ? [] : work.Begun[0].SoFar.Prompt },
        Begun = { work.Begun.Select(begun => new RolloutInFlightProto { SoFar = GroupEventCodec.ToProto(begun.SoFar), RevealEntropySum = begun.RevealEntropySum }) },
    };

    private static SampleWork FromProto(SampleWorkProto? p)
    {
        Required(p, "work");
        ImmutableArray<int> prompt = [.. p.Prompt];
        return new(p.Group, [.. p.Siblings], p.Version, p.Pinned) { Begun = [.. p.Begun.Select(begun => ReadInFlight(p.Group, prompt, begun))] };
    }

    private static CanvasesReported FromProto(CanvasesReportedProto p)
    {
        var work = FromProto(p.Work);
        return new(p.Sampler, work with { Begun = [] }, work.Begun);
    }

    /// <summary>A canvas whose record has holes would go on as a rollout that nobody could replay.</summary>
    private static RolloutInFlight ReadInFlight(long group, ImmutableArray<int> prompt, RolloutInFlightProto p)
    {
        Required(p.SoFar, "canvas");
        var record = ReadTrajectory(group, prompt, p.SoFar);
        Expect(record.Steps > 0 && record.RevealStep.All(step => step >= -1 && step < record.Steps), $"sibling {p.SoFar.Sibling} was revealed at steps that its {record.Steps} do not have");
        return new(record, p.RevealEntropySum);
    }

    private static PoliciesPublished FromProto(PoliciesPublishedProto p)
    {
        Expect(p.Policies.Count > 0, "no policy is published");
        Expect(p.Policies.Select(policy => policy.Version).Distinct().Count() == p.Policies.Count, "a version is published twice");
        return new([.. p.Policies.Select(RunEventCodec.FromProto)]);
    }

    private static TrajectoriesSampledProto ToProto(TrajectoriesSampled m) => new()
    {
        Group = m.Group,
        Prompt = { m.Trajectories.IsEmpty ? [] : m.Trajectories[0].Prompt },
        Trajectories = { m.Trajectories.Select(GroupEventCodec.ToProto) },
    };

    private static TrajectoriesSampled FromProto(TrajectoriesSampledProto p)
    {
        ImmutableArray<int> prompt = [.. p.Prompt];
        return new(p.Group, [.. p.Trajectories.Select(trajectory => ReadTrajectory(p.Group, prompt, trajectory))]);
    }
}
