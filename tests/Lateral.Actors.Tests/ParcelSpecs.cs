using System.Collections.Immutable;
using Lateral.Actors.Serialization;
using Lateral.Core.Prompts;
using Lateral.Core.Rewards;
using Lateral.Core.Rollouts;

namespace Lateral.Actors.Tests;

public sealed class ParcelSpecs
{
    [Theory]
    [InlineData(new[] { 100_000, 100_000, 100_000, 62_144, 1 }, new[] { 2, 3 })]
    [InlineData(new[] { 400_000, 400_000 }, new[] { 1, 1 })]
    [InlineData(new[] { 262_144 }, new[] { 1 })]
    [InlineData(new int[0], new int[0])]
    public void Parcels_must_hold_every_item_once_in_order_and_at_least_one_each(int[] sizes, int[] counts)
    {
        var parcels = Parcel.Split([.. sizes], size => size).ToArray();
        Assert.Equal(counts, parcels.Select(parcel => parcel.Length));
        Assert.Equal(sizes, parcels.SelectMany(parcel => parcel));
    }

    [Fact]
    public void Estimate_must_be_no_less_than_the_bytes_and_not_far_above()
    {
        var trajectory = Long(4096);
        var scored = new ScoredTrajectory(trajectory, 1, ImmutableSortedDictionary<string, double>.Empty.Add("answer", 1));
        var request = new RewardRequest(trajectory.Id, new Prompt(7, trajectory.Prompt, new string('é', 500), "x"), trajectory.Text);
        AssertNear(new Rollouts.GroupProtocol.TrajectoriesSampled(7, [trajectory]), Parcel.SizeOf(trajectory));
        AssertNear(new Rollouts.GroupProtocol.GroupContent(7, 1, [scored]), Parcel.SizeOf(scored));
        AssertNear(new Actors.Rewards.RewardProtocol.ScoreRollouts(7, [request]), Parcel.SizeOf(request));
    }

    /// <summary>Ids beyond 2^28 take five bytes, an unrevealed position's -1 one.</summary>
    private static Trajectory Long(int length)
    {
        var ids = Enumerable.Repeat(int.MaxValue, length).ToImmutableArray();
        return MessageSamples.Trajectory(0) with
        {
            Prompt = ids[..500],
            Tokens = ids,
            RevealStep = ids,
            TokenLogProbs = [.. Enumerable.Repeat(-.5f, length)],
            SelectionLogProbs = [.. Enumerable.Repeat(-.5f, length)],
            Text = new string('€', length),
        };
    }

    private static void AssertNear(object message, int estimate)
    {
        var form = MessageSerializer.Forms.Single(form => form.Type == message.GetType());
        Assert.InRange(form.ToProto(message).CalculateSize(), (int)(estimate * .95), estimate);
    }
}
