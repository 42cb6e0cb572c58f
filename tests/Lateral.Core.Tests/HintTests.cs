using System.Collections.Immutable;
using Lateral.Core.Learning;
using Lateral.Core.Prompts;
using Lateral.Core.Rewards;
using Lateral.Core.Rollouts;

namespace Lateral.Core.Tests;

public sealed class HintTests
{
    private static readonly HintSpec Hints = new(2, .2, .6, 2);

    /// <summary>Shares .2 + .4 u(-1); chunks [0,1] [2,3] [4].</summary>
    [Fact]
    public void Chunks_below_the_rollouts_share_must_be_given_and_one_always_left()
    {
        Assert.Equal([2, 3], Of(Hints, 1, .5, .5, .3, .9));
        Assert.Equal([0, 1, 4], Of(Hints, 0, .9, .5, .9, .1));
        // All of them would be the answer itself.
        Assert.Equal([2, 3, 4], Of(Hints, 0, .9, .1, .1, .1));
        Assert.Empty(Of(Hints, 0, 0, .3, .3, .3));
        Assert.Empty(Of(Hints, 2, .9, 0, 0, 0));
        Assert.Empty(Of(null, 0, .9, 0, 0, 0));
        Assert.Empty(HintedChunks.Of(Hints, new Prompt(0, [7], "7", ""), 0, 5, _ => 0));
        Assert.Empty(HintedChunks.Of(Hints with { Chunk = 5 }, Answered, 0, 5, _ => 0));
        // A completion has no room for more.
        Assert.Equal([2], HintedChunks.Of(Hints, Answered, 0, 3, _ => 0).ToArray());
    }

    [Fact]
    public void Hinted_rollouts_must_replace_those_of_a_group_that_found_nothing_and_count_nowhere_else()
    {
        var advantages = new HintedGroups(new GroupMean()).Of(
        [
            // Nobody found it but two hinted ones: they replace the last two others.
            Group((1, true), (0, true), (1, true), (0, false), (0, false), (0, false)),
            // Somebody did.
            Group((1, true), (1, true), (0, false), (1, false)),
            // Nobody at all.
            Group((0, true), (0, false), (0, false)),
            // Everybody.
            Group((1, true), (1, false), (1, false)),
        ]);
        Assert.Equal([1 / 3f, null, 1 / 3f, -2 / 3f, null, null], advantages[0].Select(Value));
        Assert.Equal([null, null, -.5f, .5f], advantages[1].Select(Value));
        Assert.Equal([null, 0f, 0f], advantages[2].Select(Value));
        Assert.Equal([null, 0f, 0f], advantages[3].Select(Value));

        static float? Value(RolloutAdvantage advantage) => advantage == RolloutAdvantage.LeftOut ? null : MathF.Round(advantage.OfCompletion, 6) is var value && value == MathF.Round(1 / 3f, 6) ? 1 / 3f : value == MathF.Round(-2 / 3f, 6) ? -2 / 3f : value;
    }

    [Fact]
    public void At_most_four_must_be_replaced_and_one_must_stay()
    {
        var many = new HintedGroups(new GroupMean()).Of([Group([.. Enumerable.Repeat((1.0, true), 6), .. Enumerable.Repeat((0.0, false), 8)])])[0];
        Assert.Equal((4, 4), (many[..6].Count(Counts), many[6..].Count(Counts)));
        var few = new HintedGroups(new GroupMean()).Of([Group([.. Enumerable.Repeat((1.0, true), 6), .. Enumerable.Repeat((0.0, false), 3)])])[0];
        Assert.Equal((2, 1), (few[..6].Count(Counts), few[6..].Count(Counts)));

        static bool Counts(RolloutAdvantage advantage) => advantage != RolloutAdvantage.LeftOut;
    }

    private static Prompt Answered { get; } = new(0, [7], "7", "") { Solution = [1, 2, 3, 4, 5] };

    private static int[] Of(HintSpec? hints, int sibling, double share, params double[] chunks) =>
        [.. HintedChunks.Of(hints, Answered, sibling, 5, position => position < 0 ? share : chunks[position / 2])];

    private static ScoredGroup Group(params (double Reward, bool Hinted)[] siblings) => new(1, [.. siblings.Select((sibling, i) => new ScoredTrajectory(
        RolloutAdvantageTests.Example([0, -1], 1, i) with { Given = sibling.Hinted ? [1] : [] }, sibling.Reward, ImmutableSortedDictionary<string, double>.Empty))]);
}
