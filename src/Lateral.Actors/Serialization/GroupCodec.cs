using System.Collections.Immutable;
using Lateral.Actors.Serialization.Proto;
using Lateral.Core.Prompts;
using Lateral.Core.Rewards;
using Lateral.Core.Rollouts;
using Lateral.Core.Runs;
using static Lateral.Actors.Rewards.RewardProtocol;
using static Lateral.Actors.Rollouts.GroupProtocol;
using static Lateral.Actors.Runs.RunProtocol;
using static Lateral.Actors.Serialization.Untrusted;

namespace Lateral.Actors.Serialization;

/// <summary>What a group's entity says to the ledger, to the reward pools and to the learner.</summary>
internal static class GroupCodec
{
    public static IEnumerable<MessageForm> Forms { get; } =
    [
        MessageForm.Of<OpenGroup, OpenGroupProto>(
            "open-group", m => new() { Group = m.Group, Version = m.Version, Pinned = m.Pinned }, p => new(p.Group, p.Version, p.Pinned)),
        MessageForm.Of<GroupFinished, GroupFinishedProto>("group-finished", ToProto, FromProto),
        MessageForm.Of<RetireGroup, RetireGroupProto>("retire-group", m => new() { Group = m.Group }, p => new(p.Group)),
        MessageForm.Of<ScoreRollouts, ScoreRolloutsProto>("score-rollouts", ToProto, FromProto),
        MessageForm.Of<RolloutsScored, RolloutsScoredProto>(
            "rollouts-scored",
            m => new() { Group = m.Group, Pool = m.Pool, Outcomes = { m.Outcomes.Select(scored => ToProto(scored.Sibling, scored.Outcome)) } },
            p => new(p.Group, p.Pool, [.. p.Outcomes.Select(outcome => (outcome.Sibling, FromProto(outcome)))])),
        MessageForm.Of<ScoringGoesOn, ScoringGoesOnProto>("scoring-goes-on", m => new() { Group = m.Group, Pool = m.Pool }, p => new(p.Group, p.Pool)),
        MessageForm.Of<GetGroup, GetGroupProto>("get-group", m => new() { Group = m.Group, From = m.From }, p => new(p.Group, p.From)),
        MessageForm.Of<GroupContent, GroupContentProto>("group-content", ToProto, FromProto),
        MessageForm.Of<GroupIncomplete, GroupIncompleteProto>("group-incomplete", m => new() { Group = m.Group, Reason = m.Reason }, p => new(p.Group, p.Reason)),
    ];

    private static GroupFinishedProto ToProto(GroupFinished m) => m.Outcome switch
    {
        GroupCompleted completed => new() { Completed = RunEventCodec.ToProto(completed) },
        GroupFiltered filtered => new() { Filtered = RunEventCodec.ToProto(filtered) },
        var other => throw new ArgumentException($"{other} is not a group's outcome", nameof(m)),
    };

    private static GroupFinished FromProto(GroupFinishedProto p) => new(p.OutcomeCase switch
    {
        GroupFinishedProto.OutcomeOneofCase.Completed => RunEventCodec.FromProto(p.Completed),
        GroupFinishedProto.OutcomeOneofCase.Filtered => RunEventCodec.FromProto(p.Filtered),
        _ => throw new FormatException("its outcome is missing"),
    });

    private static ScoreRolloutsProto ToProto(ScoreRollouts m)
    {
        var prompt = m.Requests[0].Prompt;
        if (m.Requests.Any(request => request.Prompt.Index != prompt.Index)) throw new ArgumentException($"group {m.Group} has more than one prompt", nameof(m));
        return new()
        {
            Group = m.Group,
            Prompt = new PromptProto { Index = prompt.Index, Tokens = { prompt.Tokens }, Text = prompt.Text, Reference = prompt.Reference },
            Completions = { m.Requests.Select(request => new CompletionProto { Sibling = request.Id.Sibling, Text = request.Completion, Guesses = { request.Guesses } }) },
        };
    }

    private static ScoreRollouts FromProto(ScoreRolloutsProto p)
    {
        Required(p.Prompt, "prompt");
        Expect(p.Completions.Count > 0, "there is nothing to score");
        var prompt = new Prompt(p.Prompt.Index, [.. p.Prompt.Tokens], p.Prompt.Text, p.Prompt.Reference);
        return new(p.Group, [.. p.Completions.Select(completion => new RewardRequest(new RolloutId(p.Group, completion.Sibling), prompt, completion.Text) { Guesses = [.. completion.Guesses] })]);
    }

    private static RewardOutcomeProto ToProto(int sibling, RewardOutcome outcome)
    {
        var proto = new RewardOutcomeProto { Sibling = sibling, Guesses = { outcome.Guesses } };
        switch (outcome)
        {
            case RewardOutcome.Scored scored:
                proto.Scored = new ScoredProto { Value = scored.Value };
                RunEventCodec.Fill(proto.Scored.Breakdown, scored.Breakdown);
                break;
            case RewardOutcome.ModelFault fault:
                proto.ModelFault = fault.Kind;
                break;
            case RewardOutcome.InfraFault fault:
                proto.InfraFault = fault.Kind;
                break;
            default:
                throw new ArgumentException($"{outcome} has no form", nameof(outcome));
        }

        return proto;
    }

    private static RewardOutcome FromProto(RewardOutcomeProto p) => p.OutcomeCase switch
    {
        RewardOutcomeProto.OutcomeOneofCase.Scored => new RewardOutcome.Scored(p.Scored.Value, RunEventCodec.Read(p.Scored.Breakdown)) { Guesses = [.. p.Guesses] },
        RewardOutcomeProto.OutcomeOneofCase.ModelFault => new RewardOutcome.ModelFault(p.ModelFault) { Guesses = [.. p.Guesses] },
        RewardOutcomeProto.OutcomeOneofCase.InfraFault => new RewardOutcome.InfraFault(p.InfraFault),
        // An outcome of an unknown kind must never be read as one that counts.
        _ => throw new FormatException($"the outcome of sibling {p.Sibling} is missing"),
    };

    private static GroupContentProto ToProto(GroupContent m)
    {
        var proto = new GroupContentProto { Group = m.Group, GroupSize = m.GroupSize, Prompt = { m.Siblings.IsEmpty ? [] : m.Siblings[0].Trajectory.Prompt } };
        foreach (var sibling in m.Siblings)
        {
            var item = new ScoredTrajectoryProto { Trajectory = GroupEventCodec.ToProto(sibling.Trajectory), Reward = sibling.Reward, GuessRewards = { sibling.GuessRewards } };
            RunEventCodec.Fill(item.Breakdown, sibling.Breakdown);
            proto.Siblings.Add(item);
        }

        return proto;
    }

    private static GroupContent FromProto(GroupContentProto p)
    {
        ImmutableArray<int> prompt = [.. p.Prompt];
        return new(p.Group, p.GroupSize, [.. p.Siblings.Select(sibling => new ScoredTrajectory(
            SamplingCodec.ReadTrajectory(p.Group, prompt, Required(sibling.Trajectory, "trajectory")), sibling.Reward, RunEventCodec.Read(sibling.Breakdown)) { GuessRewards = [.. sibling.GuessRewards] })]);
    }
}
