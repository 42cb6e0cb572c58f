using System.Collections.Immutable;
using Lateral.Actors.Serialization.Proto;
using Lateral.Core.Policies;
using Lateral.Core.Rollouts;
using Lateral.Core.Runs;

namespace Lateral.Actors.Serialization;

/// <summary>A rollout group's events to and from protobuf.</summary>
internal static class GroupEventCodec
{
    public static TrajectoriesRecordedProto ToProto(TrajectoriesRecorded e)
    {
        var proto = new TrajectoriesRecordedProto { Group = e.Trajectories[0].Id.Group };
        proto.Prompt.AddRange(e.Trajectories[0].Prompt);
        proto.Trajectories.AddRange(e.Trajectories.Select(ToProto));
        return proto;
    }

    public static TrajectoriesRecorded FromProto(TrajectoriesRecordedProto p)
    {
        ImmutableArray<int> prompt = [.. p.Prompt];
        return new([.. p.Trajectories.Select(t => FromProto(p.Group, prompt, t))]);
    }

    public static RewardsRecordedProto ToProto(RewardsRecorded e)
    {
        var proto = new RewardsRecordedProto { Pool = e.Pool };
        foreach (var reward in e.Rewards)
        {
            var item = new PoolRewardProto { Sibling = reward.Sibling, Value = reward.Value, Guesses = { reward.Guesses } };
            if (reward.Fault is not null) item.Fault = reward.Fault;
            RunEventCodec.Fill(item.Breakdown, reward.Breakdown);
            proto.Rewards.Add(item);
        }

        return proto;
    }

    public static RewardsRecorded FromProto(RewardsRecordedProto p) =>
        new(p.Pool, [.. p.Rewards.Select(r => new PoolReward(r.Sibling, r.Value, r.HasFault ? r.Fault : null, RunEventCodec.Read(r.Breakdown)) { Guesses = [.. r.Guesses] })]);

    public static TrajectoryProto ToProto(Trajectory trajectory)
    {
        var proto = new TrajectoryProto { Sibling = trajectory.Id.Sibling, RevealEntropy = trajectory.RevealEntropy, Text = trajectory.Text };
        proto.Tokens.AddRange(trajectory.Tokens);
        proto.RevealStep.AddRange(trajectory.RevealStep);
        proto.TokenLogProbs.AddRange(trajectory.TokenLogProbs);
        proto.SelectionLogProbs.AddRange(trajectory.SelectionLogProbs);
        proto.Policies.AddRange(trajectory.Policies.Select(span =>
            new PolicySpanProto { FirstStep = span.FirstStep, Version = span.Version, Hash = RunEventCodec.Hash(span.Hash) }));
        proto.RevealRank.AddRange(trajectory.RevealRank);
        proto.MaskedDraws.AddRange(trajectory.MaskedDraws);
        proto.Guesses.AddRange(trajectory.Guesses);
        proto.Given.AddRange(trajectory.Given);
        if (trajectory.Surrogate is { } surrogate) proto.Surrogate = new SurrogateProto { Identity = surrogate.Identity, Values = { surrogate.Values } };
        return proto;
    }

    public static Trajectory FromProto(long group, ImmutableArray<int> prompt, TrajectoryProto p) => new(
        new RolloutId(group, p.Sibling),
        prompt,
        [.. p.Tokens],
        [.. p.RevealStep],
        [.. p.TokenLogProbs],
        [.. p.SelectionLogProbs],
        p.RevealEntropy,
        [.. p.Policies.Select(span => new PolicySpan(span.FirstStep, span.Version, RunEventCodec.Hash(span.Hash)))],
        p.Text)
    {
        RevealRank = [.. p.RevealRank],
        MaskedDraws = [.. p.MaskedDraws],
        Guesses = [.. p.Guesses],
        Given = [.. p.Given],
        Surrogate = p.Surrogate is { } surrogate ? new SurrogateValues(surrogate.Identity, [.. surrogate.Values]) : null,
    };
}
